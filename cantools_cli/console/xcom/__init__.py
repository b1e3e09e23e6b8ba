"""Code shared by the ``canx xcom`` commands. Imports ``console`` and ``xcom``."""
