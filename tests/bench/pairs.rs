//! Two subjects in turns, and how sure their difference is. What the machine does meanwhile hits both of a pair alike,
//! so that the difference of the two says more than either time.

use std::time::Duration;

use crate::timer::{Subject, median};

pub struct Pairs {
    /// At each place those of one pair; the pairs' order alternates.
    other: Vec<Duration>,
    ours: Vec<Duration>,
}

/// In seconds, by which ours takes longer.
pub struct Difference {
    pub median: f64,
    /// Where the true median is, with a probability of 95 %.
    pub low: f64,
    pub high: f64,
}

impl Pairs {
    pub fn measure(other: &Subject, ours: &Subject, count: usize) -> Result<Self, String> {
        let mut pairs = Pairs { other: Vec::new(), ours: Vec::new() };
        for n in 0..count {
            // Who comes first may find the caches of the processor colder, so each does half of the time.
            if n % 2 == 0 {
                pairs.other.push(other.run()?);
                pairs.ours.push(ours.run()?);
            } else {
                pairs.ours.push(ours.run()?);
                pairs.other.push(other.run()?);
            }
        }
        Ok(pairs)
    }

    pub fn medians(&self) -> [Duration; 2] {
        [median(self.other.clone()), median(self.ours.clone())]
    }

    /// How many times as long ours takes: the median of the pairs' own ratios. That of the medians jumps where the machine
    /// has a fast and a slow state, and each median falls into another.
    pub fn ratio(&self) -> f64 {
        median(self.in_both_orders(|other, ours| ours / other))
    }

    /// The interval is that between two of the sorted differences, which assumes nothing of how they are spread: how many
    /// of them lie below the true median is a matter of tossing coins.
    pub fn difference(&self) -> Difference {
        let mut differences = self.in_both_orders(|other, ours| ours - other);
        differences.sort_by(f64::total_cmp);
        let count = differences.len() as f64;
        let below = ((count - 1.96 * count.sqrt()) / 2.0).floor().max(1.0) as usize - 1;
        let above = differences.len() - 1 - below;
        Difference { low: differences[below], high: differences[above], median: median(differences) }
    }

    /// Of two pairs at a time, one in each order: what it is worth to come first cancels out.
    fn in_both_orders(&self, compare: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let seconds = |times: &[Duration]| times.iter().sum::<Duration>().as_secs_f64() / times.len() as f64;
        let twos = self.other.chunks_exact(2).zip(self.ours.chunks_exact(2));
        twos.map(|(other, ours)| compare(seconds(other), seconds(ours))).collect()
    }
}
