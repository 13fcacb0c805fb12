//! Turning stored texts into the domain's types, with the place of the row in every complaint.

use super::error::DbError;
use crate::domain::ids::IdError;
use crate::domain::money::{Amount, Price, Quantity};
use std::fmt::Display;
use std::str::FromStr;

/// Where a text was read.
pub(super) struct Place {
    pub(super) table: &'static str,
    pub(super) key: String,
}

impl Place {
    pub(super) fn checked<T, E: Display>(&self, read: Result<T, E>) -> Result<T, DbError> {
        read.map_err(|error| self.complain(error.to_string()))
    }

    fn complain(&self, why: String) -> DbError {
        DbError::Unreadable { table: self.table, key: self.key.clone(), why }
    }

    pub(super) fn number(&self, value: i64) -> Result<u64, DbError> {
        self.checked(u64::try_from(value))
    }

    pub(super) fn id<T: FromStr<Err = IdError>>(&self, text: &str) -> Result<T, DbError> {
        self.checked(text.parse())
    }

    pub(super) fn id_or_none<T: FromStr<Err = IdError>>(
        &self,
        text: Option<String>,
    ) -> Result<Option<T>, DbError> {
        text.map(|text| self.id(&text)).transpose()
    }

    pub(super) fn word<T>(&self, word: &str, of: impl Fn(&str) -> Option<T>) -> Result<T, DbError> {
        of(word).ok_or_else(|| self.complain(format!("{word:?} is not a word of this version's")))
    }

    pub(super) fn quantity(&self, text: &str) -> Result<Quantity, DbError> {
        self.checked(Quantity::parse(text))
    }

    pub(super) fn price_or_none(&self, text: Option<String>) -> Result<Option<Price>, DbError> {
        text.map(|text| self.checked(Price::parse(&text))).transpose()
    }

    pub(super) fn amount(&self, text: &str) -> Result<Amount, DbError> {
        self.checked(Amount::parse(text))
    }

    pub(super) fn amount_or_none(&self, text: Option<String>) -> Result<Option<Amount>, DbError> {
        text.map(|text| self.amount(&text)).transpose()
    }
}
