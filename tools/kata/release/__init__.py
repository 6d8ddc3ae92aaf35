"""The student's repository, made from the course: what a learner works with, and nothing that gives an answer away.

`making` builds it, `leaks` looks through it for what the hidden suites say, `student.md` is its README.
"""
