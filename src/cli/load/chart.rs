//! A line chart as SVG, small enough to be read without its code.

use std::fmt::Write as _;

/// Size of the drawing, in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;

/// Room for the numbers at the left and below.
const LEFT: f64 = 56.0;
const BELOW: f64 = 22.0;
const ABOVE: f64 = 10.0;

/// A line, and the name of its style.
pub(super) struct Line<'a> {
    pub(super) class: &'static str,
    pub(super) values: &'a [f64],
}

/// A chart of lines over the seconds of a load; all begin at zero. What it shows is said in `label` for those who
/// do not see it.
pub(super) fn over_seconds(label: &str, lines: &[Line<'_>]) -> String {
    let seconds = lines.iter().map(|line| line.values.len()).max().unwrap_or_default();
    let highest = lines.iter().flat_map(|line| line.values).copied().fold(0.0, f64::max);
    let top = rounded_up(highest);
    let x = |at: usize| {
        let last = seconds.saturating_sub(1).max(1);
        LEFT + (WIDTH - LEFT) * float(at) / float(last)
    };
    let y = |value: f64| ABOVE + (HEIGHT - ABOVE - BELOW) * (1.0 - value / top);
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{label}\">\n");
    for part in [0.0, 0.5, 1.0] {
        let (value, height) = (top * part, y(top * part));
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{height:.1}\" y2=\"{height:.1}\"/>\
             <text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{value}</text>",
            LEFT - 6.0,
            height + 4.0
        );
    }
    let last = seconds.saturating_sub(1);
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{0:.1}\">0 s</text><text class=\"end\" x=\"{WIDTH}\" y=\"{0:.1}\">{last} s</text>",
        HEIGHT - 4.0
    );
    for line in lines {
        let points = line.values.iter().enumerate();
        let points = points.map(|(at, value)| format!("{:.1},{:.1}", x(at), y(*value)));
        let points = points.collect::<Vec<_>>().join(" ");
        let _ = writeln!(svg, "<polyline class=\"{}\" points=\"{points}\"/>", line.class);
    }
    svg.push_str("</svg>\n");
    svg
}

/// The next of 1, 2, 5, 10, 20, 50... that is not below the value.
fn rounded_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= value).unwrap_or(10.0 * power)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "seconds of a load are far below 2^53"
)]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_of_a_chart_is_a_round_number() {
        for (value, top) in [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (7.0, 10.0), (180.0, 200.0)] {
            assert!((rounded_up(value) - top).abs() < 1e-9, "{value}: {}", rounded_up(value));
        }
    }

    #[test]
    fn a_line_goes_from_the_left_edge_to_the_right_one_and_from_below_to_the_top() {
        let svg = over_seconds("x", &[Line { class: "a", values: &[0.0, 50.0, 100.0] }]);
        assert!(svg.contains("points=\"56.0,178.0 388.0,94.0 720.0,10.0\""), "{svg}");
        assert!(over_seconds("x", &[]).contains("0 s"));
    }
}
