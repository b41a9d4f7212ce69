//! Orders.

pub(crate) mod create;
pub(crate) mod index;
mod shape;
pub(crate) mod show;
pub(crate) mod update;

use contract::Param;
use domain::order::{Order, OrderField};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::params::FOREIGN_ID_CHARS_MAX;

const ID: Param = Param::integer("id")
    .at(200)
    .required()
    .about("The id of the order.");

const EXTERNAL_ORDER_ID: Param = Param::string("external_order_id")
    .chars(1, FOREIGN_ID_CHARS_MAX)
    .about("The order's id at the order system; unique in the integration.");

/// An order as it is answered: its fields stand beside its ids, and all of them always do.
struct Shown<'a>(&'a Order);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let order = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &order.id)?;
        map.serialize_entry("integration_id", &order.integration_id)?;
        map.serialize_entry("external_order_id", &order.external_order_id)?;
        map.serialize_entry("status", &order.status)?;
        map.serialize_entry("sequence", &order.sequence)?;
        for field in OrderField::ALL {
            map.serialize_entry(field.name(), &order.fields.get(field))?;
        }
        map.serialize_entry("created_at", &order.created_at)?;
        map.serialize_entry("updated_at", &order.updated_at)?;
        map.end()
    }
}
