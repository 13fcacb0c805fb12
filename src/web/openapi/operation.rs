//! What one line of the route table does, for the description.

use serde_json::Value;

/// A query parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) schema: Value,
    pub(super) about: &'static str,
}

/// An answer that is not a problem.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) media: &'static str,
    pub(super) schema: Value,
}

/// See the module's head.
pub struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: Vec<Parameter>,
    pub(super) body: Option<Value>,
    pub(super) if_match: bool,
    pub(super) answers: Vec<Answer>,
    /// Problems besides those that every route like it may answer with.
    pub(super) problems: Vec<(u16, &'static str)>,
}

impl Operation {
    /// An operation with its id and what it does.
    pub(super) const fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            query: Vec::new(),
            body: None,
            if_match: false,
            answers: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Takes a query parameter, which may be left out.
    pub(super) fn query(mut self, name: &'static str, schema: Value, about: &'static str) -> Self {
        self.query.push(Parameter { name, schema, about });
        self
    }

    /// Is a list in pages.
    pub(super) fn paged(self) -> Self {
        self.query(
            "after",
            super::schema::cursor(),
            "only what comes after this place: the `next` of an answer",
        )
        .query("limit", super::schema::limit(), "at most so many items")
    }

    /// Takes a JSON body.
    pub(super) fn body(self, schema: Value) -> Self {
        Self { body: Some(schema), ..self }
    }

    /// Needs `If-Match: "state-<state_version>"`; 412 and 428 come with it.
    pub(super) fn if_match(self) -> Self {
        Self { if_match: true, ..self }
            .problem(412, "the state has changed since it was read")
            .problem(428, "If-Match is missing")
    }

    /// Answers with JSON.
    pub(super) fn answers(self, status: u16, about: &'static str, schema: Value) -> Self {
        self.answers_as(status, about, "application/json", schema)
    }

    /// Answers with something else.
    pub(super) fn answers_as(
        mut self,
        status: u16,
        about: &'static str,
        media: &'static str,
        schema: Value,
    ) -> Self {
        self.answers.push(Answer { status, about, media, schema });
        self
    }

    /// May answer with a problem that not every route like it has.
    pub(super) fn problem(mut self, status: u16, about: &'static str) -> Self {
        self.problems.push((status, about));
        self
    }
}
