//! Rounds: subject and baselines take turns, so that a noisy minute falls on all of them.
//!
//! Law: one round is warm-up and counts for nothing; each round begins with another contender.

use std::time::Instant;

use crate::row::Context;

/// Someone who takes part: one call is one round, and gives its figure.
pub(crate) type Contender<'a> = Box<dyn FnMut() -> Result<f64, String> + 'a>;

/// The median figure of each contender, in their order; or why one could not take part.
pub(crate) fn interleave(
    context: &Context,
    contenders: &mut [Contender<'_>],
) -> Result<Vec<f64>, String> {
    let mut figures = vec![Vec::with_capacity(context.rounds); contenders.len()];
    for round in 0..=context.amount(context.rounds, 1) {
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            let (Some(contender), Some(list)) = (contenders.get_mut(at), figures.get_mut(at))
            else {
                continue;
            };
            let figure = contender()?;
            if round > 0 {
                list.push(figure);
            }
        }
    }
    Ok(figures.into_iter().map(median).collect())
}

/// Nanoseconds that one of `count` calls takes.
pub(crate) fn nanos_each(count: usize, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        call();
    }
    start.elapsed().as_secs_f64() * 1e9 / count.max(1) as f64
}

/// The figure in the middle.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = figures.get(middle).copied().unwrap_or(f64::NAN);
    match figures.get(middle.wrapping_sub(1)) {
        Some(lower) if figures.len().is_multiple_of(2) => f64::midpoint(*lower, upper),
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warm_up_counts_for_nothing_and_the_median_for_all() {
        let mut figures = [1000.0, 1.0, 2.0, 3.0, 4.0, 500.0].into_iter();
        let subject: Contender<'_> = Box::new(move || figures.next().ok_or("too many".to_owned()));
        let context = Context { rounds: 5, is_quick: false };
        let medians = interleave(&context, &mut [subject, Box::new(|| Ok(7.0))]);
        assert_eq!(medians, Ok(vec![3.0, 7.0]));
    }

    #[test]
    fn the_first_turn_goes_round() {
        let order = std::cell::RefCell::new(String::new());
        let named = |name: char| -> Contender<'_> {
            let order = &order;
            Box::new(move || {
                order.borrow_mut().push(name);
                Ok(0.0)
            })
        };
        let context = Context { rounds: 5, is_quick: true };
        let ran = interleave(&context, &mut [named('a'), named('b'), named('c')]);
        assert_eq!((ran.is_ok(), order.into_inner().as_str()), (true, "abcbca"));
    }

    #[test]
    fn a_contender_that_fails_ends_the_row() {
        let context = Context { rounds: 5, is_quick: false };
        let failing: Contender<'_> = Box::new(|| Err("no luck".to_owned()));
        assert_eq!(interleave(&context, &mut [failing]), Err("no luck".to_owned()));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }
}
