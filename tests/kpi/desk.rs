//! The runtime under test and its exchange, as the torture uses them, observed every second.

pub use torture::{Desk, Runtime};

#[path = "../torture/desk.rs"]
#[allow(dead_code, reason = "made for the torture, which needs more of it")]
mod torture;

/// Starts the runtime with an observation every second and waits until it takes orders.
pub async fn observed(desk: &Desk) -> Runtime {
    let mut command = desk.command();
    command.env("PLIMSOLL__PERFORMANCE__SAMPLE_SECONDS", "1");
    let runtime = desk.listening(desk.spawn_as(command)).await;
    runtime.until_ready(&desk.http).await;
    runtime
}
