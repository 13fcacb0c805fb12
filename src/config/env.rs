//! The process environment, read through a trait.
//!
//! Owns the only access to environment variables in the configuration, so that tests feed a map and
//! never change the process they run in. Does not interpret any name or value.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Something that knows environment variables.
pub trait EnvReader {
    /// Every variable, in no promised order. Values may be anything the operating system allows.
    fn variables(&self) -> Vec<(OsString, OsString)>;

    /// One variable.
    fn variable(&self, name: &str) -> Option<OsString>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnv;

impl EnvReader for ProcessEnv {
    fn variables(&self) -> Vec<(OsString, OsString)> {
        std::env::vars_os().collect()
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}

/// A made-up environment, for tests and for programs that embed the runtime.
impl EnvReader for BTreeMap<String, String> {
    fn variables(&self) -> Vec<(OsString, OsString)> {
        self.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        self.get(name).map(OsString::from)
    }
}

/// An environment with values that need not be text.
impl EnvReader for BTreeMap<OsString, OsString> {
    fn variables(&self) -> Vec<(OsString, OsString)> {
        self.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        self.get(std::ffi::OsStr::new(name)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_environment_is_readable() {
        assert_eq!(ProcessEnv.variable("PATH"), std::env::var_os("PATH"));
        assert_eq!(ProcessEnv.variables().len(), std::env::vars_os().count());
    }
}
