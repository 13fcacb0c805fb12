//! Where something stands in a text: lines, columns, and the excerpt an error shows.
//!
//! Owns the one way of counting lines (the parser's: LF, CRLF, CR, NEL, LS and PS end a line) so that
//! an error's line number and the line it prints can never disagree. Promises that no excerpt shows
//! the value of a key whose name says it is a secret. Knows nothing of YAML.

use serde::Serialize;

/// A place in a text. Both numbers start at 1; `column` counts characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// What stands in an excerpt instead of a secret.
pub const REDACTED: &str = "[REDACTED]";

/// Longest excerpt shown, in characters.
const EXCERPT_CHARS_MAX: usize = 160;

/// Words in a key that make its value unfit for printing.
const SECRET_WORDS: [&str; 7] =
    ["secret", "token", "password", "passphrase", "api_key", "private_key", "credential"];

/// Does this key's name say that its value is a secret? (`*_file` names a place, not a value.)
#[must_use]
pub fn names_a_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    !key.ends_with("_file") && SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// A text split into lines, each without its line break.
#[derive(Debug, Clone)]
pub struct Lines<'t> {
    lines: Vec<&'t str>,
}

impl<'t> Lines<'t> {
    /// Splits `text` where the YAML parser sees a line break. A byte order mark at the start belongs to no line.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        let mut lines = Vec::new();
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        while let Some((index, found)) = rest.char_indices().find(|(_, c)| is_break(*c)) {
            let (line, tail) = rest.split_at(index);
            lines.push(line);
            let crlf = found == '\r' && tail.starts_with("\r\n");
            let width = if crlf { 2 } else { found.len_utf8() };
            rest = tail.get(width..).unwrap_or_default();
        }
        lines.push(rest);
        Self { lines }
    }

    /// The line with this number (from 1), without its break.
    #[must_use]
    pub fn line(&self, number: usize) -> Option<&'t str> {
        self.lines.get(number.checked_sub(1)?).copied()
    }

    /// All lines in order.
    pub fn iter(&self) -> impl Iterator<Item = &'t str> + '_ {
        self.lines.iter().copied()
    }

    /// The rest of the line that starts at `at`; empty at or past the end.
    #[must_use]
    pub fn from(&self, at: Position) -> &'t str {
        let Some(line) = self.line(at.line) else { return "" };
        let skip = at.column.saturating_sub(1);
        if line.is_ascii() {
            return line.get(skip..).unwrap_or_default();
        }
        let offset = line.char_indices().nth(skip).map_or(line.len(), |(offset, _)| offset);
        line.get(offset..).unwrap_or_default()
    }

    /// The line as an error may show it: tabs as one space so that a caret lines up, secrets masked,
    /// long lines cut.
    #[must_use]
    pub fn excerpt(&self, number: usize) -> Option<String> {
        let line = mask(&self.line(number)?.replace('\t', " "));
        let mut shown: String = line.chars().take(EXCERPT_CHARS_MAX).collect();
        if shown.len() < line.len() {
            shown.push_str("...");
        }
        Some(shown)
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Hides everything after the first colon whose key names a secret.
fn mask(line: &str) -> String {
    for (colon, _) in line.match_indices(':') {
        let Some((before, _)) = line.split_at_checked(colon) else { continue };
        let key = before
            .trim_end_matches([' ', '"', '\''])
            .rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .next()
            .unwrap_or_default();
        if names_a_secret(key) {
            return format!("{before}: {REDACTED}");
        }
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_break_of_the_parser_ends_a_line() {
        let lines = Lines::new("\u{feff}a\nb\r\nc\rd\u{85}e\u{2028}f\n");
        let all: Vec<_> = lines.iter().collect();
        assert_eq!(all, ["a", "b", "c", "d", "e", "f", ""]);
    }

    #[test]
    fn columns_count_characters() {
        let lines = Lines::new("grüße: x\n");
        assert_eq!(lines.from(Position { line: 1, column: 8 }), "x".to_owned().as_str().trim());
        assert_eq!(lines.from(Position { line: 1, column: 99 }), "");
        assert_eq!(lines.from(Position { line: 9, column: 1 }), "");
    }

    #[test]
    fn an_excerpt_never_shows_a_secret() {
        let lines = Lines::new("  api_key: hunter2\n{a: 1, \"password\": hunter2}\n  api_key_file: /run/x\n");
        assert_eq!(lines.excerpt(1).unwrap(), "  api_key: [REDACTED]");
        assert_eq!(lines.excerpt(2).unwrap(), "{a: 1, \"password\": [REDACTED]");
        assert_eq!(lines.excerpt(3).unwrap(), "  api_key_file: /run/x");
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = "x".repeat(500);
        assert_eq!(Lines::new(&text).excerpt(1).unwrap().len(), EXCERPT_CHARS_MAX + 3);
    }
}
