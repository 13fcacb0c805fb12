//! Everything that can be wrong with a configuration, as facts.
//!
//! One variant per kind of mistake; its message says what is wrong, [`Fault::advice`] what would be
//! right, [`Fault::code`] is the stable name in `--json`. The matches are exhaustive, so a new kind
//! does not compile until it has all three. Where the mistake stands is [`super::error`]'s business.

use super::position::Position;
use thiserror::Error;

/// One kind of mistake, with its facts. The message never holds a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// There is no such file.
    #[error("the file does not exist")]
    FileMissing,
    /// A directory, socket, pipe or device.
    #[error("this is {found}, not a regular file")]
    NotARegularFile {
        /// What it is.
        found: &'static str,
    },
    /// The operating system refused.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// The operating system's words.
        reason: String,
    },
    /// More than the cap.
    #[error("too large: more than {limit_bytes} bytes")]
    TooLarge {
        /// The cap.
        limit_bytes: u64,
    },
    /// A line longer than any real setting.
    #[error("this line is longer than {limit_bytes} bytes")]
    LineTooLong {
        /// The cap.
        limit_bytes: usize,
    },
    /// Lists or mappings within each other beyond any real setting.
    #[error("nested too deep")]
    TooDeep {
        /// The cap, in levels.
        limit: usize,
    },
    /// More brackets than any real configuration has.
    #[error("the {limit}th opening bracket or brace stands here")]
    TooManyBrackets {
        /// The cap.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("not valid UTF-8 text")]
    NotUtf8,
    /// A character YAML forbids.
    #[error("character U+{code:04X} is not allowed in YAML")]
    ForbiddenCharacter {
        /// Its code point.
        code: u32,
    },
    /// The parser gave up.
    #[error("not valid YAML: {problem}")]
    Syntax {
        /// The parser's words.
        problem: String,
    },
    /// A tab where YAML wants spaces.
    #[error("a tab stands where only spaces are allowed")]
    Tab,
    /// A quote that is never closed; the place is where it opens.
    #[error("this quote is never closed")]
    UnterminatedQuote,
    /// More than one document in a file.
    #[error("a second document begins here")]
    SeveralDocuments,
    /// `&name` or `*name`.
    #[error("anchors (`&`) and aliases (`*`) are refused")]
    AnchorOrAlias,
    /// `!tag`.
    #[error("tags (`!`) are refused")]
    Tag,
    /// `<<`.
    #[error("merge keys (`<<`) are refused")]
    MergeKey,
    /// A key that is a list, a mapping or nothing.
    #[error("a key must be plain text")]
    KeyNotText,
    /// The same key twice in one mapping; the place is the second.
    #[error("`{key}` stands twice in the same mapping, first on line {}", first.line)]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stood first.
        first: Position,
    },
    /// A key that does not exist.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// As written.
        key: String,
        /// The keys there are.
        known: Vec<String>,
    },
    /// A word that is not among the possible ones.
    #[error("`{found}` is not a possible value")]
    UnknownValue {
        /// As written.
        found: String,
        /// The values there are.
        known: Vec<String>,
    },
    /// A key that must be there is not.
    #[error("the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A value of another type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What would be right.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Infinity or not-a-number.
    #[error("`{found}` is not a finite number")]
    NotFinite {
        /// As written.
        found: String,
    },
    /// Below or above what is allowed.
    #[error("{found} is out of range")]
    OutOfRange {
        /// As given.
        found: String,
        /// Smallest allowed.
        min: u64,
        /// Largest allowed.
        max: u64,
    },
    /// A rule between values, or about the form of one.
    #[error("{problem}")]
    Rule {
        /// Stable name of the rule, snake case.
        code: &'static str,
        /// What is wrong.
        problem: String,
        /// What would be right.
        advice: String,
    },
    /// A secret written into the file or onto the command line.
    #[error("a secret may not be written here")]
    InlineSecret,
    /// A secret given twice in the same layer.
    #[error("both `{key}` and `{key}_file` are set")]
    SecretTwice {
        /// The secret's key.
        key: String,
    },
    /// A secret whose variable is gone, or a secret without content.
    #[error("the secret is empty")]
    SecretEmpty,
    /// A secret file that others may read or change.
    #[error("the secret file `{file}` has mode {mode:03o}: others may read or change it")]
    SecretFileMode {
        /// The file.
        file: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A secret file that cannot be used for another reason.
    #[error("the secret file `{file}`: {cause}")]
    SecretFile {
        /// The file.
        file: String,
        /// Why.
        cause: Box<Fault>,
    },
    /// A variable that cannot be a key, such as `PLIMSOLL__WEB____LISTEN`.
    #[error("the variable's name is not a key path")]
    EnvName,
    /// Two variables that mean the same key.
    #[error("sets the same key as `{other}`")]
    EnvTwice {
        /// The other variable.
        other: String,
    },
}

impl Fault {
    /// The stable name of this kind of mistake, snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileMissing => "file_missing",
            Self::NotARegularFile { .. } => "not_a_regular_file",
            Self::Unreadable { .. } => "unreadable",
            Self::TooLarge { .. } => "too_large",
            Self::LineTooLong { .. } => "line_too_long",
            Self::TooDeep { .. } => "too_deep",
            Self::TooManyBrackets { .. } => "too_many_brackets",
            Self::NotUtf8 => "not_utf8",
            Self::ForbiddenCharacter { .. } => "forbidden_character",
            Self::Syntax { .. } => "syntax",
            Self::Tab => "tab",
            Self::UnterminatedQuote => "unterminated_quote",
            Self::SeveralDocuments => "several_documents",
            Self::AnchorOrAlias => "anchor_or_alias",
            Self::Tag => "tag",
            Self::MergeKey => "merge_key",
            Self::KeyNotText => "key_not_text",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::UnknownKey { .. } => "unknown_key",
            Self::UnknownValue { .. } => "unknown_value",
            Self::MissingKey { .. } => "missing_key",
            Self::WrongType { .. } => "wrong_type",
            Self::NotFinite { .. } => "not_finite",
            Self::OutOfRange { .. } => "out_of_range",
            Self::Rule { code, .. } => code,
            Self::InlineSecret => "inline_secret",
            Self::SecretTwice { .. } => "secret_twice",
            Self::SecretEmpty => "secret_empty",
            Self::SecretFileMode { .. } => "secret_file_mode",
            Self::SecretFile { .. } => "secret_file",
            Self::EnvName => "env_name",
            Self::EnvTwice { .. } => "env_twice",
        }
    }

    /// What would be right.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::FileMissing => "check the path; `plimsoll config init` prints a file to start from".into(),
            Self::NotARegularFile { .. } => "name the file itself".into(),
            Self::Unreadable { .. } => "make it readable for the user this process runs as".into(),
            Self::TooLarge { .. } => {
                "a real configuration is a few kilobytes: is this the right file?".into()
            }
            Self::LineTooLong { .. } => "break it into several lines".into(),
            Self::TooDeep { limit } => format!("at most {limit} levels; is a bracket never closed?"),
            Self::TooManyBrackets { .. } => "write lists and sections on lines of their own".into(),
            Self::NotUtf8 => "save the file as UTF-8".into(),
            Self::ForbiddenCharacter { .. } => {
                "remove it; in double quotes it may be written as an escape".into()
            }
            Self::Syntax { .. } => {
                "check indentation and quotes here and on the line before; `key: value` needs the space"
                    .into()
            }
            Self::Tab => "indent with spaces; YAML allows no tabs there".into(),
            Self::UnterminatedQuote => "close it on the same line".into(),
            Self::SeveralDocuments => "keep one document per file: remove this part and its `---`".into(),
            Self::AnchorOrAlias => {
                "write the value out where it is used; text that begins with `&` or `*` needs quotes".into()
            }
            Self::Tag => "write the value without a tag; text that begins with `!` needs quotes".into(),
            Self::MergeKey => "write the keys out where they are used".into(),
            Self::KeyNotText => "write `key: value` with a word as the key".into(),
            Self::DuplicateKey { .. } => "keep one of the two: the other would be ignored in silence".into(),
            Self::UnknownKey { key, known } | Self::UnknownValue { found: key, known } => suggest(key, known),
            Self::MissingKey { key } => format!("add `{key}: ...`"),
            Self::WrongType { expected, .. } => format!("give {expected}"),
            Self::NotFinite { .. } => {
                "give a finite number; a limit is never switched off by infinity".into()
            }
            Self::OutOfRange { min, max, .. } => format!("allowed is {min} to {max}"),
            Self::Rule { advice, .. } => advice.clone(),
            Self::InlineSecret => "use an environment variable, or a file that only you can read".into(),
            Self::SecretTwice { .. } => "keep one of the two".into(),
            Self::SecretEmpty => "put the secret there; an empty one is never right".into(),
            Self::SecretFileMode { file, .. } => format!("run: chmod 600 {file}"),
            Self::SecretFile { cause, .. } => cause.advice(),
            Self::EnvName => {
                "write PLIMSOLL__SECTION__KEY: text between double underscores, at most 16 levels".into()
            }
            Self::EnvTwice { .. } => "keep one of the two".into(),
        }
    }
}

/// "did you mean", or the list of what there is.
#[must_use]
pub fn suggest(found: &str, known: &[String]) -> String {
    let folded = found.to_lowercase();
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        // A third of the letters wrong is a slip; more is another word.
        Some((distance, candidate)) if distance <= 1.max(candidate.chars().count() / 3) => {
            format!("did you mean `{candidate}`?")
        }
        Some(_) => {
            let list: Vec<_> = known.iter().map(|word| format!("`{word}`")).collect();
            format!("possible here: {}", list.join(", "))
        }
        None => "nothing may stand here".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_corrected_and_another_word_gets_the_list() {
        let known = ["listen".to_owned(), "workers".to_owned()];
        assert_eq!(suggest("listne", &known), "did you mean `listen`?");
        assert_eq!(suggest("WORKERS", &known), "did you mean `workers`?");
        assert_eq!(suggest("database", &known), "possible here: `listen`, `workers`");
        assert_eq!(suggest("x", &[]), "nothing may stand here");
    }
}
