DROP TABLE containment;
