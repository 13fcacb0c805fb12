//! From file, environment and flags to settings that may be trusted, or every reason why not.
//!
//! Owns the order of the steps and that an operator sees all mistakes at once, each with its place.
//! [`Document`] stays beside the settings, so that whatever is found wrong later (an unknown child of
//! the supervision tree, say) still gets its line. Knows no single setting.

use super::env::EnvReader;
use super::error::{ConfigError, ConfigErrors, Place};
use super::fault::Fault;
use super::layers::{self, Flag};
use super::node::{Node, Origin};
use super::path::KeyPath;
use super::position::Position;
use super::problems::Problems;
use super::secret::SecretRef;
use super::source::Source;
use super::{typed, yaml};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::Path;

/// Most mistakes of type reported at once: a file with more is the wrong file.
const MISTAKES_MAX: usize = 50;

/// A set of settings that can be loaded.
pub trait Configuration: DeserializeOwned + Serialize + JsonSchema {
    /// Checks ranges and rules between values; reports all that is wrong, not only the first.
    fn validate(&self, problems: &mut Problems);

    /// The secrets in it with their paths, so that they can be checked before anything starts.
    fn secrets(&self) -> Vec<(KeyPath, &SecretRef)> {
        Vec::new()
    }
}

/// What there is to load from.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The configuration file; without one, the defaults.
    pub file: Option<&'a Path>,
    /// The environment.
    pub env: &'a dyn EnvReader,
    /// The flags, the later the stronger.
    pub flags: &'a [Flag],
}

/// Settings that passed every check, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The effective settings.
    pub settings: T,
    /// Their origins.
    pub document: Document,
}

/// Where every value came from.
#[derive(Debug, Clone)]
pub struct Document {
    source: Option<Source>,
    root: Node,
}

impl Document {
    /// Who set the value at `path`; [`Place::Default`] when nobody did. The place is the value's.
    #[must_use]
    pub fn origin(&self, path: &KeyPath) -> Place {
        match self.root.find(path) {
            Some((_, node)) => self.place(&node.origin),
            // A secret may have been given by its sibling `*_file`.
            None => match self.root.find(&path.parent().child(format!("{}_file", path.last()))) {
                Some((_, node)) if !path.is_root() => self.place(&node.origin),
                _ => Place::Default,
            },
        }
    }

    /// Where the *key* of `path` stands in the file, if it stands there.
    #[must_use]
    pub fn key_position(&self, path: &KeyPath) -> Option<Position> {
        match self.root.find(path)?.0 {
            Origin::File(at) => Some(*at),
            Origin::Env(_) | Origin::Flag(_) => None,
        }
    }

    /// A mistake in the value at `path`, with its place.
    #[must_use]
    pub fn problem(&self, path: KeyPath, fault: Fault) -> ConfigError {
        let place = self.origin(&path);
        self.located(path, fault, place)
    }

    /// A mistake in the key itself (it names something that does not exist), with its place.
    #[must_use]
    pub fn key_problem(&self, path: KeyPath, fault: Fault) -> ConfigError {
        let place = self.root.find(&path).map_or(Place::Default, |(origin, _)| self.place(origin));
        self.located(path, fault, place)
    }

    fn located(&self, path: KeyPath, fault: Fault, place: Place) -> ConfigError {
        match (&self.source, &place) {
            (Some(source), Place::File { position: Some(at), .. }) => source.error(fault, *at, path),
            _ => ConfigError { fault: fault.into(), place, path, excerpt: None },
        }
    }

    fn place(&self, origin: &Origin) -> Place {
        match (origin, &self.source) {
            (Origin::File(at), Some(source)) => {
                Place::File { file: source.name().to_owned(), position: Some(*at) }
            }
            (Origin::File(_), None) => Place::Default,
            (Origin::Env(name), _) => Place::Env { name: name.clone() },
            (Origin::Flag(name), _) => Place::Flag { name: name.clone() },
        }
    }
}

/// Loads, layers and checks settings.
///
/// # Errors
/// A file that cannot be read or parsed gives that one error; otherwise every unknown key, wrong type,
/// broken rule and unusable secret is reported.
pub fn load<T: Configuration>(inputs: Inputs<'_>) -> Result<Loaded<T>, ConfigErrors> {
    let source = inputs.file.map(Source::read).transpose()?;
    load_source(source, inputs.env, inputs.flags)
}

/// [`load`] from a text already in memory.
///
/// # Errors
/// As [`load`].
pub fn load_source<T: Configuration>(
    source: Option<Source>,
    env: &dyn EnvReader,
    flags: &[Flag],
) -> Result<Loaded<T>, ConfigErrors> {
    let mut root = match &source {
        Some(source) => yaml::read(source)?,
        None => Node::empty_map(Origin::File(Position::START)),
    };
    let mut problems = layers::apply_environment(&mut root, env);
    problems.extend(layers::apply_flags(&mut root, flags));
    let mut document = Document { source, root };
    let (settings, mistaken) = decode_all::<T>(&document, &mut problems);
    let Some(settings) = settings else {
        return Err(ConfigErrors::check(problems).err().unwrap_or_else(|| unexplained(&document)));
    };

    let mut found = Problems::default();
    settings.validate(&mut found);
    // Beside a value of the wrong type stands its default; a rule between the two would be noise.
    let judged = found.into_iter().filter(|(path, _)| !mistaken.contains(&path.parent()));
    problems.extend(judged.map(|(path, fault)| document.problem(path, fault)));
    for (path, secret) in settings.secrets() {
        if let Err(fault) = secret.resolve(env) {
            problems.push(document.problem(path.clone(), fault));
        }
        document.root.redact(&path);
    }
    ConfigErrors::check(problems)?;
    Ok(Loaded { settings, document })
}

/// Decodes; on a mistake notes it, takes the value out and tries again, so that all are found.
/// Answers the settings without the mistaken values, and the sections that held one.
fn decode_all<T: Configuration>(
    document: &Document,
    problems: &mut Vec<ConfigError>,
) -> (Option<T>, BTreeSet<KeyPath>) {
    let mut sections = BTreeSet::new();
    let mut root = document.root.clone();
    for _ in 0..MISTAKES_MAX {
        let mistake = match typed::decode::<T>(&root) {
            Ok(settings) => return (Some(settings), sections),
            Err(mistake) => mistake,
        };
        let path = mistake.path();
        let (fault, origin) = mistake.into_parts();
        let place = origin.map_or(Place::Default, |origin| document.place(&origin));
        let missing = matches!(fault, Fault::MissingKey { .. });
        problems.push(document.located(path.clone(), fault, place));
        sections.insert(path.parent());
        // A missing key cannot be taken out: the section that lacks it is.
        let taken = if missing { path.parent() } else { path };
        if !root.remove(&taken) {
            break;
        }
    }
    (None, sections)
}

/// Unreachable by construction (no settings means at least one problem); fails closed all the same.
fn unexplained(document: &Document) -> ConfigErrors {
    let fault = Fault::Syntax { problem: "the configuration could not be understood".into() };
    document.problem(KeyPath::root(), fault).into()
}
