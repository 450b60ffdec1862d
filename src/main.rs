//! `gymcall`: one binary, one command for each role. See [`gymcall::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    gymcall::cli::main()
}
