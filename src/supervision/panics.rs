//! Catching a panic with its place and backtrace.
//!
//! A process-wide hook (installed once, chained to the previous one) notes location and backtrace of
//! panics inside guarded code, where the supervisor reports them with path and epoch; panics elsewhere
//! go to the previous hook as before.

use super::exit::PanicReport;
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

struct Noted {
    location: Option<String>,
    backtrace: Backtrace,
}

thread_local! {
    static GUARDED: Cell<u32> = const { Cell::new(0) };
    static NOTED: RefCell<Option<Noted>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();

/// Installs the hook; later calls do nothing.
pub(super) fn install_hook() {
    INSTALL.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if GUARDED.get() == 0 {
                previous(info);
                return;
            }
            let noted =
                Noted { location: info.location().map(ToString::to_string), backtrace: Backtrace::capture() };
            // Inside a panic while the cell is borrowed there is nothing better to do than keep the first.
            NOTED.with(|slot| {
                if let Ok(mut slot) = slot.try_borrow_mut() {
                    *slot = Some(noted);
                }
            });
        }));
    });
}

/// Runs `work`, catching its panic.
pub(super) fn guarded<R>(work: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    GUARDED.set(GUARDED.get().saturating_add(1));
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(GUARDED.get().saturating_sub(1));
    result
}

/// What is known about a caught panic; the backtrace, when `RUST_BACKTRACE` asks for it, is logged here.
pub(super) fn report(payload: Box<dyn Any + Send>, during: &'static str) -> PanicReport {
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a payload without text".to_owned());
    // The payload is user data, too: its destructor may panic in turn.
    if catch_unwind(AssertUnwindSafe(move || drop(payload))).is_err() {
        tracing::warn!(during, "the payload of a panic panicked in its destructor");
    }
    let noted = NOTED.with(|slot| slot.try_borrow_mut().ok().and_then(|mut slot| slot.take()));
    let location = noted.as_ref().and_then(|noted| noted.location.clone());
    if let Some(noted) = &noted
        && noted.backtrace.status() == std::backtrace::BacktraceStatus::Captured
    {
        tracing::debug!(during, backtrace = %noted.backtrace, "backtrace of a caught panic");
    }
    PanicReport { message, location, during }
}
