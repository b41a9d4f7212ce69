//! Vocabularies, which every caller may read and operators change.

use domain::id::ListItemId;
use domain::records::ListItem;
use store::{Created, List, ListItemChanges, ListQuery, NewListItem, Page};

use crate::app::App;
use crate::caller::Caller;
use crate::denied::Denied;

impl App {
    /// Adds a word, usable at once.
    ///
    /// # Errors
    /// Refused where the list has the slug already.
    pub async fn create_list_item(
        &self,
        caller: Caller<'_>,
        new: NewListItem,
    ) -> Result<Created<ListItem>, Denied> {
        let change = self.change(caller);
        Ok(self.store.create_list_item(new, change).await?)
    }

    /// Changes a word.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn update_list_item(
        &self,
        caller: Caller<'_>,
        id: ListItemId,
        changes: ListItemChanges,
    ) -> Result<ListItem, Denied> {
        let change = self.change(caller);
        Ok(self.store.update_list_item(id, changes, change).await?)
    }

    /// Words of a list, or of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list_items(
        &self,
        list: Option<List>,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<ListItem>, Denied> {
        Ok(self.store.list_items(list, active, query).await?)
    }
}
