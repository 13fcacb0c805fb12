//! Decimal strings as people read them.

use askama::filters::HtmlSafe;
use rust_decimal::Decimal;
use std::fmt;

/// What stands where nothing is known.
pub(super) const NOTHING: &str = "\u{2013}";

/// A figure with digits in groups of three and no zeros at its end; what is no figure stays as it is.
pub(super) fn plain(text: &str) -> String {
    let Ok(figure) = text.parse::<Decimal>() else { return text.to_owned() };
    grouped(&figure.normalize().to_string())
}

/// A figure that may be missing.
pub(super) fn or_nothing(text: Option<&str>) -> String {
    text.map_or_else(|| NOTHING.to_owned(), plain)
}

/// Digits before the point in groups of three, with a true minus.
fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("\u{2212}", digits));
    let (whole, rest) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::from(sign);
    let count = whole.chars().count();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && count.saturating_sub(index) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

/// Profit or loss: with its sign, two places, and a class by its sign. Its mark-up holds figures alone.
#[derive(Debug, Clone)]
pub(super) struct Gain(Option<Decimal>);

impl Gain {
    pub(super) fn of(text: Option<&str>) -> Self {
        Self(text.and_then(|text| text.parse().ok()))
    }
}

impl fmt::Display for Gain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(figure) = self.0 else { return write!(f, "<span class=\"none\">{NOTHING}</span>") };
        let mut shown = figure.round_dp(2);
        shown.rescale(2);
        let (class, sign) = if shown.is_zero() {
            ("zero", "")
        } else if shown.is_sign_positive() {
            ("gain", "+")
        } else {
            ("loss", "")
        };
        let text = grouped(&if shown.is_zero() { "0.00".to_owned() } else { shown.to_string() });
        write!(f, "<span class=\"{class}\" title=\"{}\">{sign}{text}</span>", figure.normalize())
    }
}

impl HtmlSafe for Gain {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_groups() {
        assert_eq!(plain("1234567.890"), "1\u{202f}234\u{202f}567.89");
        assert_eq!(plain("-1000"), "\u{2212}1\u{202f}000");
        assert_eq!([plain("0.00050"), plain("999"), plain("<b>")], ["0.0005", "999", "<b>"]);
        assert_eq!(or_nothing(None), NOTHING);
    }

    #[test]
    fn a_gain_has_a_sign_and_what_is_not_known_is_no_zero() {
        let shown = |text: Option<&str>| Gain::of(text).to_string();
        assert!(
            shown(Some("1234.567")).contains("gain") && shown(Some("1234.567")).contains("+1\u{202f}234.57")
        );
        assert!(shown(Some("-0.5")).contains(">\u{2212}0.50<"), "{}", shown(Some("-0.5")));
        assert!(shown(Some("-0.001")).contains(">0.00<"), "{}", shown(Some("-0.001")));
        assert!(shown(None).contains("none") && !shown(None).contains('0'));
        assert!(!shown(Some("<script>")).contains("script"));
    }
}
