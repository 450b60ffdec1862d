//! What every measurement stands on: processes, their CPU time, Redis, figures.

pub mod contestant;
pub mod cpu;
pub mod far;
pub mod figures;
pub mod gymcall;
pub mod machine;
pub mod redis;
pub mod resp;

use std::path::{Path, PathBuf};

/// Where peers are installed and runs keep their files: on the disk that the build is on, because a folder for
/// temporary files may be in memory, where nothing is durable and `fsync` costs nothing.
pub fn place() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let place = target.join("bench");
    std::fs::create_dir_all(&place).unwrap();
    place
}

/// A folder of its own for one run.
pub fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("run-").tempdir_in(place()).unwrap()
}

/// A port that nobody listens on, nor is given by the system while what listens on it is started again.
pub fn free_port() -> u16 {
    crate::process::server::port_to_keep()
}
