//! The `audit` and `idempotency` tables: who steered the process, and how each named request was answered.
//!
//! [`insert`] belongs in the transaction of what was done. Rows of refused requests are kept up to a bound and make
//! room for younger ones; rows of what was done stay. Pinned answers stay for a day.

use super::error::{DbError, sql};
use super::lines::{self, Binds, Line};
use super::read;
use super::schema::{audit, idempotency};
use crate::domain::control::{AuditRow, ControlRow, IdempotencyKey, Pinned};
use crate::domain::time::WallMs;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

/// Refused requests that stay on record.
const REFUSED_KEPT: i64 = 100_000;
/// Answers that stay pinned, whatever their age.
const PINNED_KEPT: i64 = 100_000;
/// How long an answer stays pinned, milliseconds.
const PINNED_FOR_MS: i64 = 24 * 3_600_000;

/// A row of the audit ready to be written.
struct AuditLine<'a> {
    row: &'a ControlRow,
    reason: Option<&'a str>,
    key: Option<&'a str>,
    code: Option<&'a str>,
    status: i64,
}

impl<'a> AuditLine<'a> {
    fn new(row: &'a ControlRow) -> Self {
        Self {
            row,
            reason: row.note.reason.as_deref(),
            key: row.note.key.as_ref().map(IdempotencyKey::as_str),
            code: row.code.as_deref(),
            status: i64::from(row.status),
        }
    }
}

impl Line for AuditLine<'_> {
    type Table = audit::table;
    const HEAD: &'static str = "INSERT INTO audit (at_ms,actor,principal,peer,route,verb,reason,\
        idempotency_key,status,code) VALUES ";
    const TAIL: &'static str = "";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        let note = &self.row.note;
        to.int(&self.row.at.0)?;
        to.text(&note.actor)?;
        to.text(&note.principal)?;
        to.text(&note.peer)?;
        to.text(&note.route)?;
        to.text(&note.verb)?;
        to.str_or_null(&self.reason)?;
        to.str_or_null(&self.key)?;
        to.int(&self.status)?;
        to.str_or_null(&self.code)
    }
}

/// A pinned answer ready to be written.
struct PinnedLine<'a> {
    row: &'a ControlRow,
    key: &'a IdempotencyKey,
    answer: &'a str,
    status: i64,
}

impl<'a> PinnedLine<'a> {
    fn new(row: &'a ControlRow) -> Option<Self> {
        let (key, answer) = row.pinned()?;
        Some(Self { row, key, answer, status: i64::from(row.status) })
    }
}

impl Line for PinnedLine<'_> {
    type Table = idempotency::table;
    const HEAD: &'static str =
        "INSERT INTO idempotency (principal,name,route,body_hash,status,answer,at_ms) VALUES ";
    // The first answer holds. A second one can only come after the day of the first is over.
    const TAIL: &'static str = " ON CONFLICT (principal,name) DO NOTHING";

    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()> {
        let note = &self.row.note;
        to.text(&note.principal)?;
        to.text(self.key.as_str())?;
        to.text(&note.route)?;
        to.text(&note.body_hash)?;
        to.int(&self.status)?;
        to.text(self.answer)?;
        to.int(&self.row.at.0)
    }
}

/// Writes rows: their lines of the audit, and the answers that they pin.
pub(super) fn insert(connection: &mut SqliteConnection, rows: &[ControlRow]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let audited: Vec<AuditLine<'_>> =
        rows.iter().filter(|row| row.note.audited).map(AuditLine::new).collect();
    let pinned: Vec<PinnedLine<'_>> = rows.iter().filter_map(PinnedLine::new).collect();
    lines::insert(connection, &audited)?;
    lines::insert(connection, &pinned)?;
    Ok(())
}

/// Takes away what no longer has to be kept.
pub(super) fn prune(connection: &mut SqliteConnection, now: WallMs) -> QueryResult<()> {
    sql_query(
        "DELETE FROM audit WHERE status >= 300 AND id <= \
         (SELECT id FROM audit WHERE status >= 300 ORDER BY id DESC LIMIT 1 OFFSET ?)",
    )
    .bind::<BigInt, _>(REFUSED_KEPT)
    .execute(connection)?;
    sql_query(
        "DELETE FROM idempotency WHERE at_ms < ? OR at_ms <= \
         (SELECT at_ms FROM idempotency ORDER BY at_ms DESC LIMIT 1 OFFSET ?)",
    )
    .bind::<BigInt, _>(now.0.saturating_sub(PINNED_FOR_MS))
    .bind::<BigInt, _>(PINNED_KEPT)
    .execute(connection)
    .map(|_| ())
}

#[derive(Queryable)]
struct StoredAudit {
    id: i64,
    at_ms: i64,
    actor: String,
    principal: String,
    peer: String,
    route: String,
    verb: String,
    reason: Option<String>,
    idempotency_key: Option<String>,
    status: i64,
    code: Option<String>,
}

fn audit_row(stored: StoredAudit) -> Result<AuditRow, DbError> {
    let at = read::Place { table: "audit", key: stored.id.to_string() };
    Ok(AuditRow {
        id: at.number(stored.id)?,
        at: WallMs(stored.at_ms),
        actor: stored.actor,
        principal: stored.principal,
        peer: stored.peer,
        route: stored.route,
        verb: stored.verb,
        reason: stored.reason,
        key: stored.idempotency_key,
        status: at.checked(u16::try_from(stored.status))?,
        code: stored.code,
    })
}

/// Lines of the audit after a place, in order.
pub(super) fn page(
    connection: &mut SqliteConnection,
    after: Option<u64>,
    limit: i64,
) -> Result<Vec<AuditRow>, DbError> {
    let after = i64::try_from(after.unwrap_or_default()).unwrap_or(i64::MAX);
    let query = audit::table.filter(audit::id.gt(after)).order(audit::id).limit(limit);
    let stored: Vec<StoredAudit> = query.load(connection).map_err(sql("reading the audit"))?;
    stored.into_iter().map(audit_row).collect()
}

/// The youngest lines of the audit, youngest first.
pub(super) fn latest(connection: &mut SqliteConnection, limit: i64) -> Result<Vec<AuditRow>, DbError> {
    let query = audit::table.order(audit::id.desc()).limit(limit);
    let stored: Vec<StoredAudit> = query.load(connection).map_err(sql("reading the audit"))?;
    stored.into_iter().map(audit_row).collect()
}

/// The answer that a key is pinned to, if it is.
pub(super) fn pinned(
    connection: &mut SqliteConnection,
    principal: &str,
    key: &IdempotencyKey,
) -> Result<Option<Pinned>, DbError> {
    let row: Option<(String, String, i64, String)> = idempotency::table
        .find((principal, key.as_str()))
        .select((idempotency::route, idempotency::body_hash, idempotency::status, idempotency::answer))
        .first(connection)
        .optional()
        .map_err(sql("looking for a pinned answer"))?;
    let Some((route, body_hash, status, answer)) = row else { return Ok(None) };
    let at = read::Place { table: "idempotency", key: key.to_string() };
    Ok(Some(Pinned { route, body_hash, status: at.checked(u16::try_from(status))?, answer }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::migrate;
    use crate::domain::control::ControlNote;

    fn database() -> SqliteConnection {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        migrate::run(&mut connection).unwrap();
        connection
    }

    fn row(key: Option<&str>, status: u16, at: i64) -> ControlRow {
        let note = ControlNote {
            principal: "0123456789ab".to_owned(),
            actor: "ops".to_owned(),
            peer: "127.0.0.1".to_owned(),
            route: "POST /api/v1/controls/pause".to_owned(),
            verb: "pause".to_owned(),
            reason: Some("a test".to_owned()),
            key: key.map(|key| IdempotencyKey::new(key).unwrap()),
            body_hash: "ab".to_owned(),
            audited: true,
        };
        let code = (status >= 300).then(|| "conflict".to_owned());
        note.answered(WallMs(at), status, code, format!("{{\"at\":{at}}}"))
    }

    #[test]
    fn the_first_answer_holds_and_refusals_pin_nothing() {
        let mut connection = database();
        let rows =
            [row(Some("k"), 409, 1), row(Some("k"), 202, 2), row(Some("k"), 202, 3), row(None, 202, 4)];
        insert(&mut connection, &rows).unwrap();
        let key = IdempotencyKey::new("k").unwrap();
        let found = pinned(&mut connection, "0123456789ab", &key).unwrap().unwrap();
        assert_eq!((found.status, found.answer.as_str()), (202, "{\"at\":2}"));
        assert_eq!(pinned(&mut connection, "another", &key).unwrap(), None, "keys belong to their callers");
        let lines = page(&mut connection, None, 10).unwrap();
        assert_eq!(lines.iter().map(|line| line.status).collect::<Vec<_>>(), [409, 202, 202, 202]);
        assert_eq!((lines[0].code.as_deref(), lines[1].code.as_deref()), (Some("conflict"), None));
        assert_eq!(page(&mut connection, Some(lines[1].id), 1).unwrap()[0].id, lines[2].id);
        let youngest: Vec<u64> = latest(&mut connection, 2).unwrap().iter().map(|line| line.id).collect();
        assert_eq!(youngest, [lines[3].id, lines[2].id]);
    }

    #[test]
    fn what_is_not_audited_leaves_no_line() {
        let mut connection = database();
        let mut order = row(Some("o"), 202, 1);
        order.note.audited = false;
        insert(&mut connection, &[order]).unwrap();
        assert!(page(&mut connection, None, 10).unwrap().is_empty());
        let key = IdempotencyKey::new("o").unwrap();
        assert!(pinned(&mut connection, "0123456789ab", &key).unwrap().is_some());
    }

    #[test]
    fn a_day_later_a_key_is_free_again_and_refusals_make_room() {
        let mut connection = database();
        insert(&mut connection, &[row(Some("old"), 202, 0), row(Some("young"), 202, 2)]).unwrap();
        prune(&mut connection, WallMs(PINNED_FOR_MS + 1)).unwrap();
        let mut pinned_now = |key: &str| {
            pinned(&mut connection, "0123456789ab", &IdempotencyKey::new(key).unwrap()).unwrap().is_some()
        };
        assert_eq!((pinned_now("old"), pinned_now("young")), (false, true));
        let many = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
             INSERT INTO audit (at_ms,actor,principal,peer,route,verb,status) \
             SELECT i,'nobody','nobody','','','',401 FROM n",
            REFUSED_KEPT + 7
        );
        sql_query(many).execute(&mut connection).unwrap();
        prune(&mut connection, WallMs(0)).unwrap();
        let all: i64 = audit::table.count().get_result(&mut connection).unwrap();
        assert_eq!(all, REFUSED_KEPT + 2, "what was done stays");
    }
}
