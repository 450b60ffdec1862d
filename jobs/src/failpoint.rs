//! Points in the code at which a test may kill or stop the process, or make a step fail.
//!
//! A crash test that kills at random hits the same wide gaps again and again. These points are the
//! narrow ones: each marks a moment in which something is done and not yet told, or told and not yet
//! done. They exist only with the feature `failpoints`; without it they compile to nothing, and with
//! it they do nothing unless the variable `GYMCALL_FAILPOINT` names one of them:
//!
//! ```text
//! GYMCALL_FAILPOINT=W6:kill@3        the third time that W6 is passed, SIGKILL to this process
//! GYMCALL_FAILPOINT=S4:stop          the first time that S4 is passed, SIGSTOP; whoever set it sends SIGCONT
//! GYMCALL_FAILPOINT=W2:error@5       the fifth time, the step at W2 fails as if the store had
//! GYMCALL_FAILPOINT=W1:kill@9,K1:stop
//! ```
//!
//! Before it acts, a point writes `failpoint W6: pass 3, kill` to standard error, in one write and
//! without a buffer: who reads that line knows that the point was really passed.

#[cfg(feature = "failpoints")]
mod armed;

#[cfg(feature = "failpoints")]
pub use armed::{POINTS, fails, hit, in_flight, is_armed};

/// A point that may kill or stop the process. With a second argument it may also fail: then the
/// enclosing function returns that argument.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! failpoint {
    ($point:literal) => {
        $crate::failpoint::hit($point)
    };
    ($point:literal, $failure:expr) => {
        if $crate::failpoint::fails($point) {
            return $failure;
        }
    };
}

/// A point that may kill or stop the process: nothing, without the feature `failpoints`.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! failpoint {
    ($($point:tt)*) => {};
}

/// A future, with the point of this event in its middle: begun, and not yet answered.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! in_flight {
    ($event:expr, $work:expr) => {
        $crate::failpoint::in_flight($event, $work)
    };
}

/// A future, as it is: without the feature `failpoints` there is no point in it.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! in_flight {
    ($event:expr, $work:expr) => {
        $work
    };
}
