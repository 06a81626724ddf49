//! Processes: a node is a value; mailboxes, links, monitors, names, lanes.
