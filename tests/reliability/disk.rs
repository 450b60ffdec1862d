//! A disk that is small enough to be filled.

use std::path::{Path, PathBuf};
use std::process::Command;

/// How much it holds, in MiB.
const SIZE: usize = 16;

/// A file system of its own at a folder, until it is dropped.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Puts one there. Only the superuser may.
    pub fn mount(folder: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={SIZE}m"), "gymcall-test"]).arg(folder);
        let mounted = mount.output().map_err(|error| error.to_string())?;
        if !mounted.status.success() {
            return Err(format!("no small disk: {}", String::from_utf8_lossy(&mounted.stderr).trim()));
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Leaves no byte free.
    pub fn fill(&self) {
        use std::io::Write;
        let mut ballast = std::fs::File::create(self.ballast()).unwrap();
        while ballast.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
    }

    pub fn clear(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that still ends may have a file open there.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
