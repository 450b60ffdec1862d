//! Gyms in several time zones.

use gymcall_jobs::gym::Gym;
use serde_json::json;

use crate::simulation::chance::Dice;

/// Where gyms are, so many of a hundred: three zones with summer time and one without, some of which nobody knows in
/// which of two zones they are, and some of which nobody knows anything.
const ZONES: [(&[&str], u64); 7] = [
    (&["America/New_York"], 30),
    (&["America/Chicago"], 25),
    (&["America/Denver"], 8),
    (&["America/Phoenix"], 10),
    (&["America/Los_Angeles"], 22),
    (&["America/Chicago", "America/Denver"], 3),
    (&[], 2),
];

/// So many gyms, each with a number of its own.
pub fn gyms(count: u32, dice: &mut Dice) -> Vec<Gym> {
    (0..count).map(|number| gym(number, zones(dice))).collect()
}

fn zones(dice: &mut Dice) -> &'static [&'static str] {
    let mut throw = dice.below(100);
    for (zones, share) in ZONES {
        match throw.checked_sub(share) {
            Some(rest) => throw = rest,
            None => return zones,
        }
    }
    &[]
}

fn gym(number: u32, zones: &[&str]) -> Gym {
    let mut gym = json!({"phone": format!("+1212{:07}", 2_000_000 + number), "name": format!("Gym {number}")});
    match zones {
        [] => {}
        [zone] => gym["timezone"] = json!({"name": zone, "source": "csv"}),
        several => gym["timezone"] = json!({"candidates": several, "source": "address"}),
    }
    serde_json::from_value(gym).unwrap()
}
