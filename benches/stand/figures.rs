//! Medians, spreads and ratios.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 0 => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
        length => sorted[length / 2],
    }
}

/// Median, least and most, as text.
pub fn spread(figures: &[f64], digits: usize) -> String {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let most = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.digits$} ({least:.digits$}-{most:.digits$})", median(figures))
}

/// How two things that were measured side by side, round by round, compare.
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    pub median: f64,
    /// The ends of the interval that holds the median in 95 of 100 drawings of as many rounds.
    pub low: f64,
    pub high: f64,
}

impl Ratio {
    /// `above / below`, each pair from one round.
    pub fn of(above: &[f64], below: &[f64]) -> Self {
        let ratios: Vec<f64> = above.iter().zip(below).map(|(above, below)| above / below).collect();
        let mut dice = StdRng::seed_from_u64(1);
        let mut medians: Vec<f64> = (0..2_000)
            .map(|_| {
                let drawn: Vec<f64> = ratios.iter().map(|_| ratios[dice.random_range(0..ratios.len())]).collect();
                median(&drawn)
            })
            .collect();
        medians.sort_by(f64::total_cmp);
        Self { median: median(&ratios), low: medians[50], high: medians[1_949] }
    }

    /// Whether even the worse end reaches the goal.
    pub fn reaches(self, goal: f64) -> bool {
        self.low >= goal
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} [{:.2}, {:.2}]", self.median, self.low, self.high)
    }
}
