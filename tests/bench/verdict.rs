//! The comparison of two binaries: one line per measurement, and whether its limit was met.

use crate::pairs::Pairs;
use crate::table::grouped;

/// The limit on additional time and instructions.
const BAR: f64 = 1.05;

/// Whether a change stays within its limit.
#[derive(Clone, Copy, PartialEq)]
pub enum Verdict {
    Holds,
    Missed,
    /// The machine was too noisy for this number of pairs.
    Undecided,
    NotMeasured,
}

impl Verdict {
    pub const ALL: [Verdict; 4] = [Verdict::Holds, Verdict::Missed, Verdict::Undecided, Verdict::NotMeasured];

    pub fn words(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Missed => "MISSED",
            Verdict::Undecided => "undecided",
            Verdict::NotMeasured => "not measured",
        }
    }
}

pub struct Line {
    pub what: String,
    other: String,
    ours: String,
    ratio: String,
    difference: String,
    bar: Option<(String, Verdict)>,
}

impl Line {
    /// Decided by the confidence interval of the difference, because a ratio alone does not show how much is due to
    /// chance.
    pub fn time(pairs: &Pairs) -> Self {
        let milliseconds = |seconds: f64| format!("{:.3} ms", seconds * 1e3);
        let [other, ours] = pairs.medians().map(|time| time.as_secs_f64());
        let difference = pairs.difference();
        let allowed = other * (BAR - 1.0);
        let verdict = if difference.high <= allowed {
            Verdict::Holds
        } else if difference.low > allowed {
            Verdict::Missed
        } else {
            Verdict::Undecided
        };
        let [median, low, high] = [difference.median, difference.low, difference.high].map(|seconds| seconds * 1e6);
        Line {
            what: "time".into(),
            other: milliseconds(other),
            ours: milliseconds(ours),
            ratio: format!("{:.3}", pairs.ratio()),
            difference: format!("{median:+.1} µs ({low:+.1} to {high:+.1})"),
            bar: Some((format!("ratio at most {BAR}"), verdict)),
        }
    }

    pub fn instructions(counts: [Option<u64>; 2]) -> Self {
        let verdict = verdict(counts, |other, ours| ours as f64 <= other as f64 * BAR);
        Line { bar: Some((format!("ratio at most {BAR}"), verdict)), ..Self::counted("instructions", counts, grouped) }
    }

    pub fn page_faults(counts: [Option<u64>; 2]) -> Self {
        let verdict = verdict(counts, |other, ours| ours <= other);
        Line { bar: Some(("none more".into(), verdict)), ..Self::counted("page faults", counts, grouped) }
    }

    pub fn memory(counts: [Option<u64>; 2]) -> Self {
        Self::counted("peak memory", counts, |kib| format!("{} KiB", grouped(kib)))
    }

    fn counted(what: &str, counts: [Option<u64>; 2], text: impl Fn(u64) -> String) -> Self {
        let [other, ours] = counts.map(|count| count.map_or_else(dash, &text));
        let both = counts[0].zip(counts[1]);
        let ratio = both.map_or_else(dash, |(other, ours)| format!("{:.3}", ours as f64 / other as f64));
        let sign = |(other, ours)| if ours < other { "-" } else { "+" };
        let difference = both.map_or_else(dash, |both| format!("{}{}", sign(both), text(both.0.abs_diff(both.1))));
        Line { what: format!("… {what}"), other, ours, ratio, difference, bar: None }
    }

    pub fn verdict(&self) -> Option<Verdict> {
        self.bar.as_ref().map(|(_, verdict)| *verdict)
    }

    pub fn render(&self) -> String {
        let bar = self.bar.as_ref().map_or_else(dash, |(bar, verdict)| format!("{bar}: {}", verdict.words()));
        let Line { what, other, ours, ratio, difference, .. } = self;
        format!("| {what} | {other} | {ours} | {ratio} | {difference} | {bar} |")
    }
}

fn verdict(counts: [Option<u64>; 2], holds: impl Fn(u64, u64) -> bool) -> Verdict {
    match counts {
        [Some(other), Some(ours)] if holds(other, ours) => Verdict::Holds,
        [Some(_), Some(_)] => Verdict::Missed,
        _ => Verdict::NotMeasured,
    }
}

fn dash() -> String {
    "–".into()
}
