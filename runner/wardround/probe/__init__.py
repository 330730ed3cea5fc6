"""Clinical questions: each is asked at a loopback port that leads to the service, and gives an answer in words."""
