//! Which tests of a run were played on a stack outside the suite's process.

use std::path::PathBuf;

use crate::project::{Project, read, write};

/// The names of tests, by where they ran.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    outside: Vec<String>,
    left_out: Vec<String>,
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

    /// What the suite wrote.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn read(project: &Project) -> Result<Self, String> {
        Ok(Self::parse(&read(&Self::file(project))?))
    }

    fn parse(text: &str) -> Self {
        let mut places = Self::default();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("outside ") {
                places.outside.push(name.to_owned());
            } else if let Some(name) = line.strip_prefix("left out ") {
                places.left_out.push(name.to_owned());
            }
        }
        places.outside.sort();
        places.outside.dedup();
        places.left_out.sort();
        places.left_out.dedup();
        places
    }

    /// One line with both numbers, and the names of what was left out.
    pub(crate) fn told(&self, skipped: &[String]) -> String {
        let names = self.left_out.iter().chain(skipped).map(|name| format!("\n  not there: {name}")).collect::<String>();
        format!(
            "{} tests ran there; {} were left out because they need a stack in their own process, and {} by name{names}",
            self.outside.len(),
            self.left_out.len(),
            skipped.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_counts_once() {
        let places = Places::parse("outside b\nleft out c\noutside a\noutside a\n");
        assert_eq!(places, Places { outside: vec!["a".into(), "b".into()], left_out: vec!["c".into()] });
        assert!(places.told(&["d".into()]).starts_with("2 tests ran there; 1 were left out"));
    }
}
