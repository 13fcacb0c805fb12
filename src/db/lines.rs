//! Inserts of many rows by few statements, each prepared once.
//!
//! The cost of a durable row is mostly the processor's: parsing a statement and stepping through it. So rows go out
//! in chunks of fixed sizes, and the statement of each size stays prepared. (A list inserted through the query
//! builder would be parsed anew each time.)

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

/// One row of one table, ready to be bound.
pub(super) trait Line {
    /// Names the statement in the cache of prepared statements.
    type Table: 'static;
    /// Up to and including `VALUES `.
    const HEAD: &'static str;
    /// After the values.
    const TAIL: &'static str;
    /// Binds the values in the order of the columns.
    fn bind<'b>(&'b self, to: &mut Binds<'_, '_, 'b>) -> QueryResult<()>;
}

/// Takes the values of one row.
pub(super) struct Binds<'p, 'a, 'b> {
    pass: &'p mut AstPass<'a, 'b, Sqlite>,
    first: bool,
}

impl<'b> Binds<'_, '_, 'b> {
    fn comma(&mut self) {
        if !self.first {
            self.pass.push_sql(",");
        }
        self.first = false;
    }

    pub(super) fn text(&mut self, value: &'b str) -> QueryResult<()> {
        self.comma();
        self.pass.push_bind_param::<Text, _>(value)
    }

    pub(super) fn text_or_null(&mut self, value: &'b Option<String>) -> QueryResult<()> {
        self.comma();
        self.pass.push_bind_param::<Nullable<Text>, _>(value)
    }

    pub(super) fn str_or_null(&mut self, value: &'b Option<&'b str>) -> QueryResult<()> {
        self.comma();
        self.pass.push_bind_param::<Nullable<Text>, _>(value)
    }

    pub(super) fn int(&mut self, value: &'b i64) -> QueryResult<()> {
        self.comma();
        self.pass.push_bind_param::<BigInt, _>(value)
    }

    pub(super) fn int_or_null(&mut self, value: &'b Option<i64>) -> QueryResult<()> {
        self.comma();
        self.pass.push_bind_param::<Nullable<BigInt>, _>(value)
    }

    pub(super) fn flag(&mut self, value: &'b bool) -> QueryResult<()> {
        self.comma();
        self.pass.push_bind_param::<Bool, _>(value)
    }

    pub(super) fn bytes(&mut self, value: &'b [u8]) -> QueryResult<()> {
        self.comma();
        self.pass.push_bind_param::<Binary, _>(value)
    }
}

/// Exactly `N` rows in one statement.
struct Chunk<'r, L, const N: usize>(&'r [L]);

/// The identity of such a statement, without the lifetime of its rows.
struct ChunkOf<T, const N: usize>(std::marker::PhantomData<T>);

impl<L: Line, const N: usize> QueryId for Chunk<'_, L, N> {
    type QueryId = ChunkOf<L::Table, N>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<L: Line, const N: usize> QueryFragment<Sqlite> for Chunk<'_, L, N> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql(L::HEAD);
        for (index, line) in self.0.iter().enumerate() {
            pass.push_sql(if index == 0 { "(" } else { ",(" });
            line.bind(&mut Binds { pass: &mut pass, first: true })?;
            pass.push_sql(")");
        }
        pass.push_sql(L::TAIL);
        Ok(())
    }
}

impl<L: Line, const N: usize> RunQueryDsl<SqliteConnection> for Chunk<'_, L, N> {}

/// Writes all rows; answers how many rows were inserted or changed.
pub(super) fn insert<L: Line>(connection: &mut SqliteConnection, lines: &[L]) -> QueryResult<usize> {
    let (changed, rest) = in_chunks::<L, 32>(connection, lines)?;
    let (more, rest) = in_chunks::<L, 8>(connection, rest)?;
    let changed = changed.saturating_add(more);
    let (more, rest) = in_chunks::<L, 2>(connection, rest)?;
    let changed = changed.saturating_add(more);
    let (more, _) = in_chunks::<L, 1>(connection, rest)?;
    Ok(changed.saturating_add(more))
}

fn in_chunks<'r, L: Line, const N: usize>(
    connection: &mut SqliteConnection,
    lines: &'r [L],
) -> QueryResult<(usize, &'r [L])> {
    let (chunks, rest) = lines.as_chunks::<N>();
    let mut changed = 0_usize;
    for chunk in chunks {
        changed = changed.saturating_add(Chunk::<'_, L, N>(chunk).execute(connection)?);
    }
    Ok((changed, rest))
}
