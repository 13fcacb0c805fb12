//! `plimsoll bench supervision`: what supervision costs and how fast it repairs, against plain actix.

mod actors;
mod cost;
mod recovery;

use super::report::{Machine, Report};

/// Runs every measurement on one actix system, one after the other.
///
/// # Errors
/// When a tree could not be built or an actor did not answer.
pub fn measure() -> anyhow::Result<Report> {
    let machine = Machine::read();
    let figures = actix_rt::System::new().block_on(async {
        let mut figures = Vec::new();
        figures.extend(recovery::losses().await?);
        figures.extend(recovery::panic_to_started().await?);
        figures.extend(recovery::hangs().await?);
        figures.extend(recovery::snapshot().await?);
        figures.extend(cost::per_message().await?);
        anyhow::Ok(figures)
    })?;
    Ok(Report { machine, figures })
}
