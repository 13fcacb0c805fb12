//! A line over time as SVG, drawn here so that a page needs no script for it.
//!
//! It promises that nothing is drawn over a gap, and that text in it is escaped. It knows no figures.

use crate::domain::time::WallMs;
use std::fmt::Write as _;

/// Size of the drawing, in its own units.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 220.0;
/// Room for the labels at the left and below.
const LEFT: f64 = 84.0;
const BELOW: f64 = 22.0;
const ABOVE: f64 = 10.0;

/// One moment of the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dot {
    pub(super) at: WallMs,
    /// `None` where there is no value.
    pub(super) value: Option<f64>,
    /// What came before was not observed.
    pub(super) gap: bool,
}

/// Draws a line; `None` when fewer than two moments have a value.
pub(super) fn line(dots: &[Dot], name: &str, label: fn(f64) -> String) -> Option<String> {
    let known = || dots.iter().filter_map(|dot| dot.value.map(|value| (dot.at, value)));
    let (first, last) = (known().next()?.0, known().next_back()?.0);
    let span = double(last.0.checked_sub(first.0).filter(|span| *span >= 1_000)?);
    let low = known().map(|(_, value)| value).fold(f64::INFINITY, f64::min);
    let high = known().map(|(_, value)| value).fold(f64::NEG_INFINITY, f64::max);
    // A flat line stands in the middle.
    let room = if high > low { (high - low) * 0.05 } else { low.abs().max(1.0) * 0.01 };
    let (low, high) = (low - room, high + room);
    let x = |at: WallMs| LEFT + double(at.0.saturating_sub(first.0)) / span * (WIDTH - LEFT - 8.0);
    let y = |value: f64| ABOVE + (high - value) / (high - low) * (HEIGHT - ABOVE - BELOW);
    let mut path = String::new();
    let mut pen_is_up = true;
    for dot in dots {
        let Some(value) = dot.value else {
            pen_is_up = true;
            continue;
        };
        let word = if pen_is_up || dot.gap { 'M' } else { 'L' };
        // Writing to a string does not fail.
        let _ = write!(path, "{word}{:.1} {:.1}", x(dot.at), y(value));
        pen_is_up = false;
    }
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escaped(name)
    );
    for share in [0.0, 0.5, 1.0] {
        let value = low + (high - low) * share;
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>\
             <text class=\"label\" x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\">{3}</text>",
            y(value),
            LEFT - 6.0,
            y(value) + 4.0,
            escaped(&label(value)),
        );
    }
    for (at, anchor, place) in [(first, "start", LEFT), (last, "end", WIDTH)] {
        let when = at.rfc3339().unwrap_or_default();
        let when: String = when.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect();
        let _ = write!(
            svg,
            "<text class=\"label\" x=\"{place}\" y=\"{}\" text-anchor=\"{anchor}\">{when}</text>",
            HEIGHT - 4.0
        );
    }
    let _ = write!(svg, "<path class=\"curve\" d=\"{path}\"/></svg>");
    Some(svg)
}

/// Milliseconds as a double: whole seconds are exact for longer than anything that is drawn.
fn double(ms: i64) -> f64 {
    f64::from(i32::try_from(ms.div_euclid(1_000)).unwrap_or(i32::MAX))
}

/// Text that cannot be markup.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(second: i64, value: Option<f64>, gap: bool) -> Dot {
        Dot { at: WallMs(second * 1_000), value, gap }
    }

    #[test]
    fn nothing_is_drawn_over_a_gap() {
        let dots = [
            dot(0, Some(1.0), false),
            dot(60, Some(2.0), false),
            dot(300, Some(3.0), true),
            dot(360, None, false),
            dot(420, Some(4.0), false),
        ];
        let svg = line(&dots, "a \"<b>\"", |value| format!("{value:.2}")).unwrap();
        let path = svg.split("d=\"").nth(1).unwrap();
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (3, 1), "{path}");
        assert!(svg.contains("a &quot;&lt;b&gt;&quot;"));
    }

    #[test]
    fn one_moment_is_no_line_and_a_flat_line_has_room() {
        assert_eq!(line(&[dot(0, Some(1.0), false)], "x", |value| value.to_string()), None);
        assert_eq!(line(&[], "x", |value| value.to_string()), None);
        let flat = [dot(0, Some(0.0), false), dot(60, Some(0.0), false)];
        let svg = line(&flat, "x", |value| format!("{value:.2}")).unwrap();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
