"""What people read: reports about runs, and the documents kept beside the code."""
