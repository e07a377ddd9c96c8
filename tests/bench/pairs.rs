//! Runs two subjects in turns and estimates the confidence of their difference. Other load on the machine affects both
//! runs of a pair equally, so their difference is more reliable than either time.

use std::time::Duration;

use crate::timer::{Subject, median};

pub struct Pairs {
    /// The times of each pair, at the same index; the order within pairs alternates.
    other: Vec<Duration>,
    ours: Vec<Duration>,
}

/// How much longer ours takes, in seconds.
pub struct Difference {
    pub median: f64,
    /// The 95 % confidence interval of the median.
    pub low: f64,
    pub high: f64,
}

impl Pairs {
    pub fn measure(other: &Subject, ours: &Subject, count: usize) -> Result<Self, String> {
        let mut pairs = Pairs { other: Vec::new(), ours: Vec::new() };
        for n in 0..count {
            // The first run may find colder CPU caches, so each goes first half of the time.
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

    /// The ratio of ours to the other: the median of the pairs' ratios. The ratio of the medians is unstable if the
    /// machine has a fast and a slow state and the two medians fall into different ones.
    pub fn ratio(&self) -> f64 {
        median(self.in_both_orders(|other, ours| ours / other))
    }

    /// The interval lies between two of the sorted differences, which makes no assumption about their distribution: the
    /// number of differences below the true median follows a binomial distribution.
    pub fn difference(&self) -> Difference {
        let mut differences = self.in_both_orders(|other, ours| ours - other);
        differences.sort_by(f64::total_cmp);
        let count = differences.len() as f64;
        let below = ((count - 1.96 * count.sqrt()) / 2.0).floor().max(1.0) as usize - 1;
        let above = differences.len() - 1 - below;
        Difference { low: differences[below], high: differences[above], median: median(differences) }
    }

    /// Combines two pairs at a time, one in each order, so that the effect of going first cancels out.
    fn in_both_orders(&self, compare: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let seconds = |times: &[Duration]| times.iter().sum::<Duration>().as_secs_f64() / times.len() as f64;
        let twos = self.other.chunks_exact(2).zip(self.ours.chunks_exact(2));
        twos.map(|(other, ours)| compare(seconds(other), seconds(ours))).collect()
    }
}
