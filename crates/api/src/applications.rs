//! Applications: programs that call the API.

pub(crate) mod create;
pub(crate) mod index;
pub(crate) mod rotate_token;
mod shape;
pub(crate) mod update;

use contract::Param;

use crate::integrations::fields::KEY_CHARS_MAX;

const ID: Param = Param::integer("id")
    .at(200)
    .required()
    .about("The id of the application.");
const SLUG: Param = Param::string("slug")
    .chars(1, KEY_CHARS_MAX)
    .about("Its name, of letters, digits and _ . : - signs; unique among all applications.");
