//! The laws of all stores, each its own test.

use super::world::world;

macro_rules! judge {
    ($module:ident: $($law:ident),+) => {
        mod $module {
            $(
                #[tokio::test]
                async fn $law() {
                    store_laws::$module::$law(&super::world().await).await;
                }
            )+
        }
    };
}

store_laws::applications_laws!(judge);
store_laws::audit_events_laws!(judge);
store_laws::delivery_statistics_laws!(judge);
store_laws::integrations_laws!(judge);
store_laws::lanes_laws!(judge);
store_laws::list_items_laws!(judge);
store_laws::notifications_laws!(judge);
store_laws::order_stages_laws!(judge);
store_laws::ordering_laws!(judge);
store_laws::orders_laws!(judge);
store_laws::payload_render_views_laws!(judge);
store_laws::random_laws!(judge);
store_laws::recoveries_laws!(judge);
store_laws::registry_laws!(judge);
store_laws::rendering_laws!(judge);
store_laws::retention_laws!(judge);
store_laws::sessions_laws!(judge);
store_laws::troubles_laws!(judge);
store_laws::users_laws!(judge);
store_laws::webhook_job_lists_laws!(judge);
store_laws::webhook_jobs_laws!(judge);
store_laws::webhook_out_subs_laws!(judge);
