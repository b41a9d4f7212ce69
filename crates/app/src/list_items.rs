//! Vocabularies, which every caller may read.

use domain::records::ListItem;
use store::{List, ListQuery, Page};

use crate::app::App;
use crate::denied::Denied;

impl App {
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
