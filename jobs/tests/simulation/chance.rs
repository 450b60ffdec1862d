//! Chance that is the same for the same seed.

/// Dice whose every throw follows from the seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // Seeds are counted up: mixed once, neighbours have nothing in common.
        let mut dice = Self(seed);
        Self(dice.bits())
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 128 bits, for ids and secrets.
    pub(crate) fn name(&mut self) -> u128 {
        (u128::from(self.bits()) << 64) | u128::from(self.bits())
    }

    /// From 0 up to, not including, `sides`.
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.bits() % sides
    }

    /// From `least` up to, not including, `end`.
    pub(crate) fn between(&mut self, least: i64, end: i64) -> i64 {
        least + self.below(end.abs_diff(least)) as i64
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// True so many times in a thousand.
    pub(crate) fn of_thousand(&mut self, times: u64) -> bool {
        times > 0 && self.below(1_000) < times
    }

    pub(crate) fn of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len() as u64) as usize]
    }
}
