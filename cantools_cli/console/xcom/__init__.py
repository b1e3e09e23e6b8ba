"""What the ``canx xcom`` commands share. Imports ``console`` and ``xcom``."""
