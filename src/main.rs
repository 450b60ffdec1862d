//! `gymcall`: one binary, one command for each role. See [`gymcall::cli`].

use std::process::ExitCode;

// Every message is a few dozen short-lived pieces of memory, taken by one thread and given back by another: with the C
// library's own allocator that was a fifth of a server's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gymcall::cli::main()
}
