int csys_present(void);
