//! The crash matrix: each of 21 points, under each fault that its store can have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use gymcall_jobs::failpoint::POINTS;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::fault::{FAULTS, Fault};
use super::keeper::Keeper;
use super::report::{Report, is_soak, say};
use super::trial::{Outcome, Trial};

/// How many trials run at once: their processes mostly wait.
const AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn at_each_of_21_points_a_fault_loses_no_job_and_doubles_no_call_on_the_embedded_store() {
    run(Keeper::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_each_of_21_points_a_fault_loses_no_job_and_doubles_no_call_on_redis() {
    run(Keeper::Redis).await;
}

async fn run(keeper: Keeper) {
    let faults: &[Fault] = if is_soak() { &FAULTS } else { &[Fault::F1] };
    let possible: Vec<Fault> = faults.iter().copied().filter(|fault| fault.impossible(keeper).is_none()).collect();
    let begun = Instant::now();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut trials = JoinSet::new();
    for fault in &possible {
        for (point, _) in POINTS {
            let (trial, places) = (Trial { keeper, point, fault: *fault }, Arc::clone(&places));
            trials.spawn(async move {
                let _place = places.acquire_owned().await.unwrap();
                // In a task of its own, so that what breaks one cell does not end the others.
                (trial, tokio::spawn(trial.run()).await)
            });
        }
    }
    let (mut outcomes, mut broken) = (Vec::new(), Vec::new());
    while let Some(done) = trials.join_next().await {
        match done.unwrap() {
            (trial, Ok(outcome)) => {
                say(&format!(
                    "{} x {:?}: hit at pass {}, {} calls, {} quarantined, {:.0} s",
                    trial.point,
                    trial.fault,
                    outcome.pass,
                    outcome.calls,
                    outcome.quarantined,
                    outcome.took.as_secs_f64()
                ));
                outcomes.push(outcome);
            }
            (trial, Err(_)) => broken.push(format!("{} x {:?}", trial.point, trial.fault)),
        }
    }
    let mut report = Report::new(&format!("matrix-{}", keeper.name()));
    report.line(&format!(
        "crash matrix, {} store: {} cells, {:.0} s",
        keeper.name(),
        outcomes.len() + broken.len(),
        begun.elapsed().as_secs_f64()
    ));
    show(&mut report, keeper, faults, &outcomes, &broken);
    report.print();
    assert!(broken.is_empty(), "broken: {broken:?}");
    assert_eq!(outcomes.len(), POINTS.len() * possible.len());
    assert!(outcomes.iter().all(|outcome| outcome.pass > 0), "every point was passed");
}

/// For each cell: at which pass of its point the fault struck, and how many jobs a person has to look at.
fn show(report: &mut Report, keeper: Keeper, faults: &[Fault], outcomes: &[Outcome], broken: &[String]) {
    let cells: BTreeMap<(&str, Fault), &Outcome> =
        outcomes.iter().map(|outcome| ((outcome.trial.point, outcome.trial.fault), outcome)).collect();
    for fault in faults {
        let why = fault.impossible(keeper).map_or_else(String::new, |why| format!(" (not applicable: {why})"));
        report.line(&format!("  {fault:?}: {}{why}", fault.what(keeper)));
    }
    let head: String = faults.iter().map(|fault| format!("{:>9}", format!("{fault:?}"))).collect();
    report.line(&format!("{:<6}{head}   hit at pass / quarantined", "point"));
    for (point, what) in POINTS {
        let row: String = faults
            .iter()
            .map(|fault| match cells.get(&(point, *fault)) {
                Some(outcome) => format!("{:>9}", format!("{}/{}", outcome.pass, outcome.quarantined)),
                None if fault.impossible(keeper).is_some() => format!("{:>9}", "-"),
                None => format!("{:>9}", "BROKEN"),
            })
            .collect();
        report.line(&format!("{point:<6}{row}   {what}"));
    }
    let sum = |count: fn(&Outcome) -> usize| outcomes.iter().map(count).sum::<usize>();
    let wire = |nth: usize| outcomes.iter().map(|outcome| outcome.wire[nth]).sum::<u64>();
    report.line(&format!(
        "{} cells hit, {} calls made; lost 0 and doubled 0 in {} cells, broken in {}; {} quarantined; \
         on the wire {} connections reset, {} replies swallowed, {} pieces slowed; longest cell {:.0} s",
        outcomes.len(),
        sum(|outcome| outcome.calls),
        outcomes.len(),
        broken.len(),
        sum(|outcome| outcome.quarantined),
        wire(0),
        wire(1),
        wire(2),
        outcomes.iter().map(|outcome| outcome.took.as_secs_f64()).fold(0.0, f64::max),
    ));
}
