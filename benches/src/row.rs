//! A row: what is measured, against what, and what is promised.
//!
//! Law: rows are data; only a group knows how its figures come about.

/// One promise.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// What the value is divided by, in the value's unit; empty when it stands alone.
    pub(crate) baseline: &'static str,
    pub(crate) promise: Promise,
}

/// What a row must show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Promise {
    /// The value over the baseline, or more.
    RatioAtLeast(f64),
    /// The value over the baseline, or less.
    RatioAtMost(f64),
    /// The value itself, or less.
    ValueAtMost(f64),
    /// The value itself, or more.
    ValueAtLeast(f64),
    /// Nothing: the row is there to be read.
    Orientation,
}

/// Rows that come out of one run.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) rows: &'static [Row],
    /// Gives a figure for each row, in their order.
    pub(crate) run: fn(&Context) -> Result<Vec<Figure>, String>,
}

/// How much to measure.
pub(crate) struct Context {
    pub(crate) rounds: usize,
    pub(crate) is_quick: bool,
}

impl Context {
    /// The amount of a full run, or that of a smoke run.
    pub(crate) fn amount(&self, full: usize, quick: usize) -> usize {
        if self.is_quick { quick } else { full }
    }
}

/// What was measured for one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) baseline: Option<f64>,
}

/// Whether a promise was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    NotJudged,
}

/// A row with its figure and verdict.
pub(crate) struct Reading {
    pub(crate) row: &'static Row,
    pub(crate) figure: Figure,
    pub(crate) ratio: Option<f64>,
    pub(crate) verdict: Verdict,
}

impl Reading {
    /// Judges a figure, unless the run was too small to.
    pub(crate) fn new(row: &'static Row, figure: Figure, is_quick: bool) -> Self {
        let ratio = figure.baseline.map(|baseline| figure.value / baseline);
        let ratio = ratio.filter(|ratio| ratio.is_finite());
        let kept = match row.promise {
            Promise::RatioAtLeast(least) => Some(ratio.is_some_and(|ratio| ratio >= least)),
            Promise::RatioAtMost(most) => Some(ratio.is_some_and(|ratio| ratio <= most)),
            Promise::ValueAtMost(most) => Some(figure.value <= most),
            Promise::ValueAtLeast(least) => Some(figure.value >= least),
            Promise::Orientation => None,
        };
        let verdict = match kept {
            _ if is_quick => Verdict::NotJudged,
            None => Verdict::NotJudged,
            Some(true) => Verdict::Met,
            Some(false) => Verdict::Missed,
        };
        Self { row, figure, ratio, verdict }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(promise: Promise, value: f64, baseline: Option<f64>) -> Verdict {
        let row = Box::leak(Box::new(Row { name: "a", unit: "ns", baseline: "b", promise }));
        Reading::new(row, Figure { value, baseline }, false).verdict
    }

    #[test]
    fn a_promise_is_kept_at_its_edge_and_missed_beyond() {
        let two = Some(2.0);
        assert_eq!(verdict(Promise::RatioAtLeast(1.5), 3.0, two), Verdict::Met);
        assert_eq!(verdict(Promise::RatioAtLeast(1.5), 2.9, two), Verdict::Missed);
        assert_eq!(verdict(Promise::RatioAtMost(1.5), 3.0, two), Verdict::Met);
        assert_eq!(verdict(Promise::RatioAtMost(1.5), 3.1, two), Verdict::Missed);
        assert_eq!(verdict(Promise::ValueAtMost(5.0), 5.0, None), Verdict::Met);
        assert_eq!(verdict(Promise::ValueAtMost(5.0), 5.1, None), Verdict::Missed);
        assert_eq!(verdict(Promise::ValueAtLeast(5.0), 5.0, None), Verdict::Met);
        assert_eq!(verdict(Promise::ValueAtLeast(5.0), 4.9, None), Verdict::Missed);
        assert_eq!(verdict(Promise::Orientation, 1.0, two), Verdict::NotJudged);
    }

    #[test]
    fn a_ratio_that_is_no_number_keeps_no_promise() {
        assert_eq!(verdict(Promise::RatioAtMost(1.5), 0.0, Some(0.0)), Verdict::Missed);
        assert_eq!(verdict(Promise::RatioAtMost(1.5), 1.0, None), Verdict::Missed);
        assert_eq!(verdict(Promise::ValueAtMost(1.5), f64::NAN, None), Verdict::Missed);
    }

    #[test]
    fn a_quick_run_judges_nothing() {
        static ROW: Row =
            Row { name: "a", unit: "ns", baseline: "", promise: Promise::ValueAtMost(1.0) };
        let reading = Reading::new(&ROW, Figure { value: 9.0, baseline: None }, true);
        assert_eq!(reading.verdict, Verdict::NotJudged);
    }
}
