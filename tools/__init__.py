"""What builds and checks the course around the lessons: lock, browser, notebooks, README."""
