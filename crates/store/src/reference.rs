//! What one record says about others, checked where it is stored.

use domain::id::{IntegrationId, PayloadRenderViewId, WebhookOutSubId};
use domain::payload_render_view::{ViewKey, ViewName};

use crate::list_items::List;
use crate::order_stages::OrderRef;

/// A parameter that names something, or must name something new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The parameter, nested as `statuses[2]`.
    pub attr: String,
    /// What it names.
    pub target: Target,
}

/// What a parameter names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An integration that exists.
    Integration(IntegrationId),
    /// An active word of a vocabulary.
    ListItem {
        /// The vocabulary.
        list: List,
        /// The word.
        slug: String,
    },
    /// An order that exists in the integration.
    Order {
        /// Where.
        integration_id: IntegrationId,
        /// Which.
        order: OrderRef,
    },
    /// An order id that no order of the integration has.
    FreeExternalOrderId {
        /// Where.
        integration_id: IntegrationId,
        /// The id.
        external_order_id: String,
    },
    /// A key that no integration has.
    FreeIntegrationKey {
        /// The key.
        key: String,
        /// The integration that may have it.
        except: Option<IntegrationId>,
    },
    /// A key that no subscription of the integration has.
    FreeSubscriptionKey {
        /// Where.
        integration_id: IntegrationId,
        /// The key.
        key: String,
        /// The subscription that may have it.
        except: Option<WebhookOutSubId>,
    },
    /// A payload view that the integration may use.
    View {
        /// Where.
        integration_id: IntegrationId,
        /// Which.
        name: ViewName,
    },
    /// A key that no payload view of the integration has, or none of those for all.
    FreeViewKey {
        /// Where.
        integration_id: Option<IntegrationId>,
        /// The key.
        key: ViewKey,
        /// The view that may have it.
        except: Option<PayloadRenderViewId>,
    },
    /// A subscription that exists in the integration.
    Subscription {
        /// Where.
        integration_id: IntegrationId,
        /// Which.
        id: WebhookOutSubId,
    },
}

impl Reference {
    /// A reference of the named parameter.
    pub fn new(attr: impl Into<String>, target: Target) -> Self {
        Reference {
            attr: attr.into(),
            target,
        }
    }
}
