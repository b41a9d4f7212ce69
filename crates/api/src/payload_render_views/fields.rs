//! What a view consists of.

use contract::Param;
use domain::payload::template::TEMPLATE_BYTES_MAX;
use domain::payload_render_view::{PayloadRenderView, VIEW_KEY_CHARS_MAX};
use serde::Serialize;
use store::ShownView;

/// Most characters of a name and of a description.
const NAME_CHARS_MAX: usize = 200;
const DESCRIPTION_CHARS_MAX: usize = 1_000;

pub(super) const INTEGRATION_ID: Param = Param::integer("integration_id").at(100).about(
    "The id of the integration that the view belongs to. Absent, the views for all integrations are meant; \
     that is closed to applications that are narrowed to one integration.",
);
pub(super) const ID: Param = Param::integer("id").at(200).about("The id of the view.");
pub(super) const KEY: Param = Param::string("key").chars(1, VIEW_KEY_CHARS_MAX).about(
    "The name that subscriptions use, of letters, digits and _ . : - signs; unique in the integration, or \
     among those for all. `order_v2`, `order_v3` and `thin` are taken.",
);
pub(super) const NAME: Param = Param::string("name")
    .chars(1, NAME_CHARS_MAX)
    .about("Its name for people.");
pub(super) const TEMPLATE: Param = Param::string("template")
    .chars(1, TEMPLATE_BYTES_MAX)
    .about(
        "A MiniJinja template over `order`, `stage`, `event` and more that renders a JSON object. It is \
         tried with sample orders before it is saved.",
    );
pub(super) const DESCRIPTION: Param = Param::string("description")
    .chars(0, DESCRIPTION_CHARS_MAX)
    .about("What it is for.");
pub(super) const REVISION: Param = Param::integer("revision")
    .range(1, u32::MAX as i64)
    .about("The number of a revision; the newest when absent.");

/// A view with the template of one of its revisions.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    view: &'a PayloadRenderView,
    shown_revision: u32,
    template: &'a str,
}

impl<'a> Shown<'a> {
    pub(super) fn of(shown: &'a ShownView) -> Shown<'a> {
        Shown {
            view: &shown.view,
            shown_revision: shown.revision,
            template: &shown.template,
        }
    }
}
