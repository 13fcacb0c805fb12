//! What the web, the command line and the router's start read of alerts.

use super::alerts::{self, AlertFilter};
use super::error::DbError;
use super::readers::{Readers, page};
use crate::domain::alert::router::Restored;
use crate::domain::alert::{Alert, Delivery, Silence};

/// Deliveries that are read for one page of alerts.
const DELIVERIES_MAX: i64 = 20_000;

impl Readers {
    /// Alerts after a number, oldest first; at most a page.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn alerts(&self, filter: AlertFilter, after: Option<u64>, limit: u32) -> Result<Vec<Alert>, DbError> {
        alerts::page(&mut *self.connection()?, filter, after, page(limit))
    }

    /// An alert by its id, or the last one of a key.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn alert(&self, name: &str) -> Result<Option<Alert>, DbError> {
        alerts::find(&mut *self.connection()?, name)
    }

    /// What was and is sent of some alerts, in order.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn alert_deliveries(&self, numbers: &[u64]) -> Result<Vec<Delivery>, DbError> {
        alerts::deliveries(&mut *self.connection()?, numbers, DELIVERIES_MAX)
    }

    /// One delivery, by its key.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn alert_delivery(&self, key: &str) -> Result<Option<Delivery>, DbError> {
        alerts::delivery(&mut *self.connection()?, key)
    }

    /// Roots of incidents before a number, youngest first, and what followed from them.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn incidents(&self, before: Option<u64>, limit: u32) -> Result<(Vec<Alert>, Vec<Alert>), DbError> {
        let mut connection = self.connection()?;
        let roots = alerts::roots_before(&mut connection, before, page(limit))?;
        let ids: Vec<String> = roots.iter().map(|root| root.id.clone()).collect();
        let consequences = alerts::consequences(&mut connection, &ids, DELIVERIES_MAX)?;
        Ok((roots, consequences))
    }

    /// Silences, youngest first; at most a page.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn silences(&self, only_holding: bool, limit: u32) -> Result<Vec<Silence>, DbError> {
        alerts::silences(&mut *self.connection()?, only_holding, page(limit))
    }

    /// Everything that the alert router goes on from.
    ///
    /// # Errors
    /// [`DbError`].
    pub fn alerts_to_restore(&self) -> Result<Restored, DbError> {
        alerts::restore(&mut *self.connection()?)
    }
}
