//! The folder that a run writes to.
//!
//! It is opened before any seed runs, so that an hour of seeds is not lost to a folder that cannot be
//! written.

use crate::exit::Failure;
use crate::report::FILES;
use std::fs::File;
use std::io::{BufWriter, ErrorKind};
use std::path::{Path, PathBuf};
use tumbler_plan::Capsule;
use tumbler_reports::RowWriter;

/// Where results go.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder asked for, or `target/tumbler` inside a cargo workspace, else `tumbler-out`.
    pub fn open(asked: Option<&Path>) -> Result<Folder, Failure> {
        let path = asked.map_or_else(default, Path::to_path_buf);
        std::fs::create_dir_all(&path).map_err(|why| Failure::Unwritable { path: path.clone(), why })?;
        let folder = Folder(path);
        folder.clear()?;
        Ok(folder)
    }

    /// The folder that a file is to stand in; what stands there stays.
    pub fn of(file: &Path) -> Result<Folder, Failure> {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        let path = parent.unwrap_or(Path::new(".")).to_path_buf();
        std::fs::create_dir_all(&path).map_err(|why| Failure::Unwritable { path: path.clone(), why })?;
        Ok(Folder(path))
    }

    /// Removes the reports of an earlier run: one that dies must not leave another's green behind.
    fn clear(&self) -> Result<(), Failure> {
        for name in FILES {
            let path = self.0.join(name);
            match std::fs::remove_file(&path) {
                Err(why) if why.kind() != ErrorKind::NotFound => {
                    return Err(Failure::Unwritable { path, why });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Begins `results.csv`; what stood there is gone.
    pub fn rows(&self) -> Result<RowWriter<BufWriter<File>>, Failure> {
        let path = self.results();
        let unwritable = |why| Failure::Unwritable { path: path.clone(), why };
        let file = File::create(&path).map_err(unwritable)?;
        RowWriter::new(BufWriter::new(file)).map_err(unwritable)
    }

    /// Where a file of the folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn results(&self) -> PathBuf {
        self.0.join("results.csv")
    }

    pub fn grid(&self) -> PathBuf {
        self.0.join("grid.csv")
    }

    /// Writes a capsule whole, or not at all.
    pub fn keep(&self, name: &str, capsule: &Capsule) -> Result<PathBuf, Failure> {
        self.write(name, &capsule.to_text())
    }

    /// Writes a file whole, or not at all.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.0.join(name);
        let unwritable = |why| Failure::Unwritable { path: path.clone(), why };
        let part = self.0.join(format!(".{name}.part"));
        let written = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, &path));
        match written {
            Ok(()) => Ok(path),
            Err(why) => {
                // Half a file is nobody's; that it stays, if it does, is less than what is told here.
                let _ = std::fs::remove_file(&part);
                Err(unwritable(why))
            }
        }
    }

    pub fn unwritable(&self, why: std::io::Error) -> Failure {
        Failure::Unwritable { path: self.results(), why }
    }
}

/// Name of a capsule's file: the scenario's name as far as a file name can bear it.
pub fn capsule_name(scenario: &str, seed: u64, suffix: &str) -> String {
    let plain = |each: char| if each.is_ascii_alphanumeric() || "-+_".contains(each) { each } else { '-' };
    let scenario: String = scenario.chars().map(plain).collect();
    format!("{scenario}-{seed}{suffix}.repro.json")
}

fn default() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let is_workspace = |folder: &&Path| {
        std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]"))
    };
    match here.ancestors().find(is_workspace) {
        Some(root) if root == here => PathBuf::from("target/tumbler"),
        Some(root) => root.join("target/tumbler"),
        None => PathBuf::from("tumbler-out"),
    }
}
