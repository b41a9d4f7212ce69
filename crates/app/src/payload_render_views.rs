//! Payload views of one's own, as callers make, change and try them. Where no scope is given, the views for all
//! integrations are meant, which only callers for all integrations may use so.

use domain::id::{OrderId, OrderStageId, PayloadRenderViewId};
use domain::order::{Order, OrderStage};
use domain::payload_render_view::PayloadRenderView;
use store::{
    Created, ListQuery, NewPayloadRenderView, OrderRef, Page, PageRequest,
    PayloadRenderViewChanges, ShownView, Sort, StageQuery, Start,
};

use crate::app::App;
use crate::caller::{Caller, Scope};
use crate::denied::Denied;

impl App {
    /// Makes a view.
    ///
    /// # Errors
    /// Forbidden where it is for all integrations and the caller is narrowed to one. Refused where the key is
    /// taken, or there are too many.
    pub async fn create_payload_render_view(
        &self,
        caller: Caller<'_>,
        scope: Option<&Scope<'_>>,
        mut new: NewPayloadRenderView,
    ) -> Result<Created<PayloadRenderView>, Denied> {
        require_all(caller, scope)?;
        new.integration_id = scope.map(Scope::integration_id);
        let change = self.change(caller);
        Ok(self.store.create_payload_render_view(new, change).await?)
    }

    /// Changes a view of the integration, or one for all.
    ///
    /// # Errors
    /// As [`App::create_payload_render_view`]; refused also where it does not exist there (`id`).
    pub async fn update_payload_render_view(
        &self,
        caller: Caller<'_>,
        scope: Option<&Scope<'_>>,
        id: PayloadRenderViewId,
        changes: PayloadRenderViewChanges,
    ) -> Result<PayloadRenderView, Denied> {
        require_all(caller, scope)?;
        let place = scope.map(Scope::integration_id);
        let change = self.change(caller);
        let updated = self
            .store
            .update_payload_render_view(place, id, changes, change);
        Ok(updated.await?)
    }

    /// A view with its newest revision, or another.
    ///
    /// # Errors
    /// Forbidden as above. Refused where the view (`id`) or its revision (`revision`) does not exist.
    pub async fn payload_render_view(
        &self,
        caller: Caller<'_>,
        scope: Option<&Scope<'_>>,
        id: PayloadRenderViewId,
        revision: Option<u32>,
    ) -> Result<ShownView, Denied> {
        require_all(caller, scope)?;
        let place = scope.map(Scope::integration_id);
        if let Some(shown) = self.store.payload_render_view(place, id, revision).await? {
            return Ok(shown);
        }
        let exists = revision.is_some()
            && self
                .store
                .payload_render_view(place, id, None)
                .await?
                .is_some();
        Err(Denied::does_not_exist(if exists {
            "revision"
        } else {
            "id"
        }))
    }

    /// The views that the integration may use, or those for all.
    ///
    /// # Errors
    /// Forbidden as above.
    pub async fn payload_render_views(
        &self,
        caller: Caller<'_>,
        scope: Option<&Scope<'_>>,
        query: ListQuery,
    ) -> Result<Page<PayloadRenderView>, Denied> {
        require_all(caller, scope)?;
        let place = scope.map(Scope::integration_id);
        Ok(self.store.payload_render_views(place, query).await?)
    }

    /// An order as it is now, with one of its stages: the last one unless another is asked for.
    ///
    /// # Errors
    /// Refused where the order (`order_id`) or the stage of it (`order_stage_id`) does not exist.
    pub async fn order_with_stage(
        &self,
        scope: &Scope<'_>,
        order_id: OrderId,
        stage: Option<OrderStageId>,
    ) -> Result<(Order, OrderStage), Denied> {
        let integration_id = scope.integration_id();
        let order = self
            .store
            .order(integration_id, OrderRef::Id(order_id))
            .await?;
        let order = order.ok_or_else(|| Denied::does_not_exist("order_id"))?;
        // Backwards from the id behind that of the stage, which is then the first, if it is one of the order's.
        let start = match stage {
            Some(id) => Start::After(store::Cursor {
                by: "id".to_owned(),
                descending: true,
                value: store::SortKey::Integer(id.0.saturating_add(1)),
                id: id.0.saturating_add(1),
            }),
            None => Start::Offset(0),
        };
        let query = StageQuery {
            integration_id,
            order_ids: vec![order_id],
            stages: Vec::new(),
            event_slugs: Vec::new(),
            created_from: None,
            created_until: None,
            list: ListQuery {
                search: None,
                sort: Sort {
                    by: "id",
                    descending: true,
                },
                page: PageRequest { size: 1, start },
                count: false,
            },
        };
        let found = self.store.order_stages(query).await?.items.pop();
        let found = found.filter(|found| stage.is_none_or(|id| id == found.id));
        let found = found.ok_or_else(|| Denied::does_not_exist("order_stage_id"))?;
        Ok((order, found))
    }
}

/// What is for all integrations is closed to those who are narrowed to one.
fn require_all(caller: Caller<'_>, scope: Option<&Scope<'_>>) -> Result<(), Denied> {
    if scope.is_none() && caller.principal.only().is_some() {
        return Err(Denied::Forbidden);
    }
    Ok(())
}
