//! The `meta` table: facts about this database.

use super::chain::{Checksum, Link};
use super::error::{DbError, sql};
use super::schema::meta;
use crate::domain::journal::Seq;
use diesel::prelude::*;

/// The journal's tag, part of every venue client order id.
pub(super) const TAG: &str = "tag";
/// The last point at which the chain was verified.
pub(super) const VERIFIED_TO: &str = "verified_to";
/// The last row that was moved to an archive.
pub(super) const ARCHIVED_TO: &str = "archived_to";
/// When the writer last proved that it can write.
pub(super) const HEARTBEAT: &str = "heartbeat_ms";

pub(super) fn get(connection: &mut SqliteConnection, name: &str) -> Result<Option<String>, DbError> {
    meta::table.find(name).select(meta::value).first(connection).optional().map_err(sql("reading meta"))
}

pub(super) fn put(connection: &mut SqliteConnection, name: &str, value: &str) -> QueryResult<()> {
    diesel::insert_into(meta::table)
        .values((meta::name.eq(name), meta::value.eq(value)))
        .on_conflict(meta::name)
        .do_update()
        .set(meta::value.eq(value))
        .execute(connection)
        .map(|_| ())
}

/// A point of the chain as text.
pub(super) fn point(link: Link) -> String {
    format!("{} {}", link.seq.0, link.checksum)
}

/// A stored point of the chain; `None` when none was stored.
pub(super) fn get_point(
    connection: &mut SqliteConnection,
    name: &'static str,
) -> Result<Option<Link>, DbError> {
    let Some(text) = get(connection, name)? else { return Ok(None) };
    let read = text.split_once(' ').and_then(|(seq, checksum)| {
        Some(Link { seq: Seq(seq.parse().ok()?), checksum: Checksum::parse(checksum)? })
    });
    match read {
        Some(link) => Ok(Some(link)),
        None => Err(DbError::Unreadable {
            table: "meta",
            key: name.to_owned(),
            why: "not a row and a checksum".to_owned(),
        }),
    }
}
