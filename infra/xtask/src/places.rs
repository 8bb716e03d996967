//! Which tests of a run were played on a stack outside the suite's process.

use std::path::PathBuf;

use crate::project::{Project, read, write};

/// The names of tests, by where they ran.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    outside: Vec<String>,
    /// Those that need a stack in their own process.
    of_own_process: Vec<String>,
    /// Those that a list leaves out.
    listed: Vec<String>,
}

/// The names in a list of tests that are left out. A line that begins with `#` gives the reason of those that follow.
pub(crate) fn listed(list: &str) -> Vec<String> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

impl Places {
    /// The file in which the suite adds a line for each test.
    pub(crate) fn file(project: &Project) -> PathBuf {
        project.target.join("xtask/places.txt")
    }

    /// Empties the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn begin(project: &Project) -> Result<PathBuf, String> {
        let file = Self::file(project);
        write(&file, "")?;
        Ok(file)
    }

    /// What the suite wrote, where these tests were left out by a list.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn read(project: &Project, listed: Vec<String>) -> Result<Self, String> {
        Ok(Self { listed, ..Self::parse(&read(&Self::file(project))?) })
    }

    fn parse(text: &str) -> Self {
        let named = |place: &str| {
            let mut names: Vec<String> = text.lines().filter_map(|line| line.strip_prefix(place)).map(str::to_owned).collect();
            names.sort();
            names.dedup();
            names
        };
        Self { outside: named("outside "), of_own_process: named("left out "), listed: Vec::new() }
    }

    /// One line with the numbers, and the names of what was left out.
    pub(crate) fn told(&self) -> String {
        let names = |why: &str, names: &[String]| names.iter().map(|name| format!("  {why}: {name}\n")).collect::<String>();
        format!(
            "{}{}{} tests ran there; {} need a stack in their own process, and {} are left out by a list",
            names("needs its own process", &self.of_own_process),
            names("left out", &self.listed),
            self.outside.len(),
            self.of_own_process.len(),
            self.listed.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_counts_once() {
        let places = Places::parse("outside b\nleft out c\noutside a\noutside a\n");
        assert_eq!(
            (places.outside.as_slice(), places.of_own_process.as_slice()),
            (&["a".into(), "b".into()][..], &["c".into()][..])
        );
        assert!(places.told().ends_with("2 tests ran there; 1 need a stack in their own process, and 0 are left out by a list"));
    }

    #[test]
    fn reasons_are_no_names() {
        assert_eq!(listed("# several at once\n\na::b\n  c::d\n"), ["a::b", "c::d"]);
    }
}
