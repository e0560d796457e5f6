//! The products as shoppers see them: read from the table, or as they were read a few seconds ago.
//!
//! Reservations don't come here: what an order costs is decided by the table alone.

use std::time::Duration;

use oxcart_domain::{Sku, product::Product};
use oxcart_http::{Request, wants_fresh};
use oxcart_table::TableError;

use crate::{
    recent::{Fresh, Moment, Recent},
    table::{Inventory, Listing, ProductPage},
};

/// As many products, and pages of them, as an execution environment has room for.
const PRODUCTS: usize = 1000;
const PAGES: usize = 50;

/// The products, from the table or from memory.
#[derive(Debug)]
pub struct Catalogue {
    inventory: Inventory,
    products: Recent<Sku, Product>,
    pages: Recent<Listing, ProductPage>,
}

/// Whether what was read a short while ago will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It will.
    Recent,
    /// Only what the table says now.
    Anew,
}

impl Reading {
    /// What will do for the client who sent `request`.
    #[must_use]
    pub fn wanted_by(request: &Request) -> Self {
        if wants_fresh(request) {
            Self::Anew
        } else {
            Self::Recent
        }
    }
}

impl Catalogue {
    /// The products of `inventory`, each kept for `time_to_live` after it was read.
    #[must_use]
    pub fn new(inventory: Inventory, time_to_live: Duration) -> Self {
        Self {
            inventory,
            products: Recent::new(PRODUCTS, time_to_live),
            pages: Recent::new(PAGES, time_to_live),
        }
    }

    /// A product. That there is none is never remembered: the next moment there may be one.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn product(
        &self,
        sku: &Sku,
        reading: Reading,
    ) -> Result<Option<Fresh<Product>>, TableError> {
        let now = Moment::now();
        if reading == Reading::Recent
            && let Some(product) = self.products.get(sku, now)
        {
            return Ok(Some(product));
        }
        let product = self.inventory.product(sku).await?;
        Ok(product.map(|product| self.products.keep(sku.clone(), product, now)))
    }

    /// A page of products in order of their names.
    ///
    /// # Errors
    /// See [`TableError`].
    pub async fn page(
        &self,
        listing: Listing,
        reading: Reading,
    ) -> Result<Fresh<ProductPage>, TableError> {
        let now = Moment::now();
        if reading == Reading::Recent
            && let Some(page) = self.pages.get(&listing, now)
        {
            return Ok(page);
        }
        let page = self.inventory.list(&listing).await?;
        Ok(self.pages.keep(listing, page, now))
    }
}
