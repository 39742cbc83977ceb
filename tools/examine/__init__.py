"""The examiner: walks the calls that users hold in their hands, against a running shop."""
