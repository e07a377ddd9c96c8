//! Structured config and credentials files, so that an exception can change a single thing in them.

/// A whole file.
#[derive(Clone, Debug)]
pub struct Ini {
    /// Whether it starts with a byte order mark.
    pub bom: bool,
    /// Whether it contains a byte that is invalid in UTF-8.
    pub latin: bool,
    pub line_end: &'static str,
    /// The indentation of headers and of properties.
    pub indents: (&'static str, &'static str),
    /// Lines before the first header.
    pub head: Vec<String>,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug)]
pub struct Section {
    /// The text between the brackets.
    pub header: String,
    /// The text after the brackets.
    pub behind: &'static str,
    /// Indented more than the property above.
    pub is_deep: bool,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub enum Line {
    Property(Property),
    /// A comment or blanks.
    Idle(String),
    /// A line that no parser can understand.
    Broken(String),
}

#[derive(Clone, Debug)]
pub struct Property {
    /// In lower case.
    pub key: String,
    /// May span several lines, which become continuation lines.
    pub value: String,
    /// The key as written, with the delimiter and blanks before the value.
    pub written: String,
}

impl Property {
    pub fn new(key: &str, value: impl Into<String>) -> Self {
        Property { key: key.to_owned(), value: value.into(), written: format!("{key} = ") }
    }
}

impl Default for Ini {
    fn default() -> Self {
        Ini { bom: false, latin: false, line_end: "\n", indents: ("", ""), head: Vec::new(), sections: Vec::new() }
    }
}

impl Section {
    pub fn new(header: impl Into<String>, properties: Vec<Property>) -> Self {
        Section {
            header: header.into(),
            behind: "",
            is_deep: false,
            lines: properties.into_iter().map(Line::Property).collect(),
        }
    }

    pub fn properties(&self) -> impl Iterator<Item = &Property> {
        self.lines.iter().filter_map(|line| match line {
            Line::Property(property) => Some(property),
            _ => None,
        })
    }

    pub fn properties_mut(&mut self) -> impl Iterator<Item = &mut Property> {
        self.lines.iter_mut().filter_map(|line| match line {
            Line::Property(property) => Some(property),
            _ => None,
        })
    }

    pub fn value(&self, key: &str) -> Option<&str> {
        self.properties().find(|property| property.key == key).map(|property| property.value.as_str())
    }

    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Removes properties and returns whether there were any.
    pub fn remove(&mut self, unwanted: impl Fn(&Property) -> bool) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| !matches!(line, Line::Property(property) if unwanted(property)));
        self.lines.len() < before
    }

    pub fn set(&mut self, key: &str, value: &str) {
        self.remove(|property| property.key == key);
        self.lines.push(Line::Property(Property::new(key, value)));
    }

    /// The profile that this header defines in a config file.
    pub fn profile_in_config(&self) -> Option<String> {
        let header = self.header.as_str();
        if header == "default" {
            return Some(header.to_owned());
        }
        let rest = header.strip_prefix("profile")?;
        let (_, name) = rest.split_once([' ', '\t'])?;
        let name = name.trim();
        for quote in ['"', '\''] {
            if let Some(name) = name.strip_prefix(quote) {
                return name.strip_suffix(quote).map(str::to_owned);
            }
        }
        (!name.contains([' ', '\t'])).then(|| name.to_owned())
    }
}

impl Ini {
    pub fn text(&self) -> Vec<u8> {
        let (of_header, of_property) = self.indents;
        let mut lines: Vec<String> = self.head.clone();
        for section in &self.sections {
            let deeper = if section.is_deep { format!("{of_property}    ") } else { of_header.to_owned() };
            lines.push(format!("{deeper}[{}]{}", section.header, section.behind));
            for line in &section.lines {
                match line {
                    Line::Property(Property { value, written, .. }) => {
                        let mut parts = value.split('\n');
                        let first = parts.next().expect("there is always a first part");
                        lines.push(format!("{of_property}{written}{first}"));
                        lines.extend(parts.map(|part| format!("{of_property}    {part}")));
                    }
                    Line::Idle(text) => lines.push(text.clone()),
                    Line::Broken(text) => lines.push(format!("{of_property}{text}")),
                }
            }
        }
        let mut text = if self.bom { "\u{feff}".to_owned() } else { String::new() };
        for line in lines {
            text.push_str(&line);
            text.push_str(self.line_end);
        }
        let mut bytes = text.into_bytes();
        if self.latin {
            bytes.extend(b"# caf\xe9");
        }
        bytes
    }
}
