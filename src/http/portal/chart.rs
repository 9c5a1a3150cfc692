//! Charts, drawn on the server: SVG with classes of the stylesheet alone, and a text that says what they show.

use std::fmt::Write as _;

use askama::filters::Safe;

use crate::http::portal::markup::escaped;

/// The size of a chart, in its own units.
const WIDTH: u32 = 960;
const HEIGHT: u32 = 280;

/// Where the bars stand: room for numbers on the left and for days below.
const LEFT: u32 = 80;
const TOP: u32 = 14;
const BOTTOM: u32 = 246;

/// Lines across a chart above its axis.
const GRID_LINES: u64 = 4;

/// The most labels under a chart that can be read beside each other.
const LABELS_MAX: usize = 8;

/// One bar.
pub(super) struct Bar {
    /// What stands under it.
    pub(super) label: String,
    pub(super) value: u64,
}

/// Upright bars with a scale. `id` tells it from other charts of the page; `number` writes a number for people.
pub(super) fn bars(
    id: &str,
    (title, description): (&str, &str),
    bars: &[Bar],
    number: impl Fn(u64) -> String,
) -> Safe<String> {
    let top = round_up(bars.iter().map(|bar| bar.value).max().unwrap_or(0));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
         <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
        escaped(title),
        escaped(description)
    );
    for line in 0..=GRID_LINES {
        let value = top * line / GRID_LINES;
        let y = y(value, top);
        let class = if line == 0 { "chart-axis" } else { "chart-grid" };
        let _ = write!(
            svg,
            "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y}\" y2=\"{y}\"></line>\
             <text class=\"chart-end\" x=\"{}\" y=\"{}\">{}</text>",
            LEFT - 10,
            y + 5,
            escaped(&number(value))
        );
    }
    let count = u32::try_from(bars.len().max(1)).unwrap_or(u32::MAX);
    let every = bars.len().div_ceil(LABELS_MAX).max(1);
    // Hundredths of a unit, so that many bars are as wide as each other.
    let step = (WIDTH - LEFT) * 100 / count;
    for (at, bar) in (0_u32..).zip(bars) {
        let x = LEFT * 100 + at * step;
        let (y, width) = (y(bar.value, top), step * 7 / 10);
        let height = BOTTOM - y;
        let _ = write!(
            svg,
            "<rect class=\"series-1 chart-bar\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\">\
             <title>{}: {}</title></rect>",
            hundredths(x + step * 15 / 100),
            hundredths(width),
            escaped(&bar.label),
            escaped(&number(bar.value))
        );
        if usize::try_from(at).is_ok_and(|at| at.is_multiple_of(every)) {
            let _ = write!(
                svg,
                "<text class=\"chart-middle\" x=\"{}\" y=\"{}\">{}</text>",
                hundredths(x + step / 2),
                BOTTOM + 24,
                escaped(&bar.label)
            );
        }
    }
    svg.push_str("</svg>");
    Safe(svg)
}

/// Units of height of one bar that lies, with what is around it, and of what is above the first.
const LYING: u32 = 34;
const ABOVE: u32 = 8;

/// Where lying bars begin and end at most: names stand before them, numbers behind.
const NAMES_END: u32 = 320;
const LYING_END: u32 = WIDTH - 110;

/// Characters of a name that there is room for.
const NAME_CHARACTERS: usize = 36;

/// Bars that lie, the first on top, each with its name before it and its number behind it.
pub(super) fn lying_bars(
    id: &str,
    (title, description): (&str, &str),
    bars: &[Bar],
    number: impl Fn(u64) -> String,
) -> Safe<String> {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    let count = u32::try_from(bars.len()).unwrap_or(u32::MAX);
    let height = ABOVE.saturating_add(count.saturating_mul(LYING));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
         <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
        escaped(title),
        escaped(description)
    );
    for (at, bar) in (0_u32..).zip(bars) {
        let top = ABOVE + at * LYING;
        let long = u128::from(LYING_END - NAMES_END) * u128::from(bar.value) / u128::from(most);
        // What is there can be seen, however little it is.
        let long = u32::try_from(long).unwrap_or(LYING_END - NAMES_END).max(2);
        let (middle, end) = (top + 17, NAMES_END + long + 10);
        let _ = write!(
            svg,
            "<text class=\"chart-end\" x=\"{}\" y=\"{middle}\">{}</text>\
             <rect class=\"series-1 chart-bar\" x=\"{NAMES_END}\" y=\"{top}\" width=\"{long}\" height=\"24\">\
             <title>{}: {}</title></rect><text x=\"{end}\" y=\"{middle}\">{}</text>",
            NAMES_END - 10,
            escaped(&shortened(&bar.label)),
            escaped(&bar.label),
            escaped(&number(bar.value)),
            escaped(&number(bar.value))
        );
    }
    svg.push_str("</svg>");
    Safe(svg)
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARACTERS {
        return name.to_owned();
    }
    let mut kept: String = name.chars().take(NAME_CHARACTERS - 1).collect();
    kept.push('\u{2026}');
    kept
}

/// The next number that makes a good end of a scale: 4, 8, 20, 40, 80, 200 and so on.
fn round_up(value: u64) -> u64 {
    let mut size: u64 = 4;
    loop {
        for factor in [1, 2, 5] {
            let end = size.saturating_mul(factor);
            if end >= value {
                return end;
            }
        }
        size = size.saturating_mul(10);
    }
}

fn y(value: u64, top: u64) -> u32 {
    let high = u128::from(BOTTOM - TOP) * u128::from(value) / u128::from(top.max(1));
    BOTTOM - u32::try_from(high).unwrap_or(BOTTOM - TOP).min(BOTTOM - TOP)
}

fn hundredths(value: u32) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_where_it_can_be_quartered() {
        for (value, end) in [(0, 4), (4, 4), (5, 8), (9, 20), (21, 40), (1_000, 2_000)] {
            assert_eq!(round_up(value), end, "{value}");
            assert_eq!(end % GRID_LINES, 0);
        }
        assert!(round_up(u64::MAX) == u64::MAX);
    }

    #[test]
    fn a_chart_says_what_it_shows_and_holds_no_markup_of_others() {
        let bar = |value| Bar { label: "<b>".to_owned(), value };
        let svg = bars("c", ("T & U", "D"), &[bar(0), bar(8)], |n| n.to_string()).0;
        assert!(svg.contains("<title id=\"c-title\">T &#38; U</title>"), "{svg}");
        assert!(svg.contains("y=\"14\" width=") && svg.contains("height=\"232\""), "{svg}");
        assert!(!svg.contains("<b>") && !svg.contains("style"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(bars("c", ("", ""), &[], |n| n.to_string()).0.ends_with("</svg>"));
    }

    #[test]
    fn lying_bars_have_names_and_numbers_and_the_longest_is_as_long_as_it_can_be() {
        let bar = |label: &str, value| Bar { label: label.to_owned(), value };
        let long = "\u{e6}".repeat(60);
        let all = [bar("A & <b>", 1_000), bar(&long, 500), bar("C", 0)];
        let svg = lying_bars("c", ("T", "D"), &all, |n| n.to_string()).0;
        let widths: Vec<&str> =
            svg.split("width=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(widths, ["530", "265", "2"]);
        assert!(svg.contains(">A &#38; &#60;b&#62;</text>") && !svg.contains("style"), "{svg}");
        assert!(svg.contains(&format!(">{}\u{2026}</text>", "\u{e6}".repeat(35))), "{svg}");
        assert!(svg.contains(&format!("<title>{long}: 500</title>")), "{svg}");
    }
}
