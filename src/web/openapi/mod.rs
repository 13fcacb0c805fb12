//! `GET /openapi.json`: the API's description, made from the route table.
//!
//! `build` walks the table, `operation` says what one line of it does, `operations` are those lines, `shapes` are the
//! JSON objects that pass, `schema` are the words to write them with. `openapi.json` in the repository is the same
//! text; a test compares the two, and a fuzzer compares the description with the running process.

pub(super) mod alert_operations;
mod alert_shapes;
mod build;
mod operation;
pub(super) mod operations;
mod schema;
mod shapes;

pub use build::document;
pub use operation::Operation;

use actix_web::HttpResponse;

/// `GET /openapi.json`.
pub(super) async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document())
}
